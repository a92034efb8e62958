import { ratios, spread, summarize } from '../src/statistics.ts'

describe('a summary', () => {
  test.each([
    [[3], 3, 3, 3],
    [[4, 2], 3, 2.5, 3.5],
    [[9, 1, 5], 5, 3, 7],
    [[10, 1, 3, 2, 1_000], 3, 2, 10]
  ])('of %j has the median %p between the quartiles %p and %p', (values, median, lower, upper) => {
    expect(summarize(values)).toEqual({ median, lower, upper })
  })

  test('leaves the values in their order', () => {
    const values = [3, 1, 2]
    summarize(values)
    expect(values).toEqual([3, 1, 2])
  })

  test('of nothing is an error', () => {
    expect(() => summarize([])).toThrow(RangeError)
  })
})

describe('the spread', () => {
  test('is the distance between the quartiles as a share of the median', () => {
    expect(spread({ median: 10, lower: 9, upper: 12 })).toBeCloseTo(0.3)
  })

  test('is zero if the median is zero', () => {
    expect(spread({ median: 0, lower: 0, upper: 1 })).toBe(0)
  })
})

describe('ratios', () => {
  test('are of the same round', () => {
    expect(ratios([10, 40], [20, 10])).toEqual([0.5, 4])
  })
})
