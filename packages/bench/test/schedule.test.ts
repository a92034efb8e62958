import { schedule } from '../src/schedule.ts'

describe('the schedule', () => {
  test('goes forwards and backwards in turn', () => {
    expect(schedule(['A', 'B', 'C'], 3)).toEqual([
      ['A', 'B', 'C'],
      ['C', 'B', 'A'],
      ['A', 'B', 'C']
    ])
  })

  test('leaves the list that it was given as it was', () => {
    const entries = ['A', 'B']
    schedule(entries, 2)
    expect(entries).toEqual(['A', 'B'])
  })

  test('has no round where none is wanted', () => {
    expect(schedule(['A'], 0)).toEqual([])
  })
})
