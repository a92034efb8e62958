import { schedule } from '../src/schedule.ts'

describe('the schedule', () => {
  test('alternates between forwards and backwards', () => {
    expect(schedule(['A', 'B', 'C'], 3)).toEqual([
      ['A', 'B', 'C'],
      ['C', 'B', 'A'],
      ['A', 'B', 'C']
    ])
  })

  test('does not change the list it gets', () => {
    const entries = ['A', 'B']
    schedule(entries, 2)
    expect(entries).toEqual(['A', 'B'])
  })

  test('has no rounds if none are asked for', () => {
    expect(schedule(['A'], 0)).toEqual([])
  })
})
