import { Garbage } from '../src/garbage.ts'

/** Larger than the young generation, so that V8 has to collect some of it. */
const mebibytes = 200

describe('the garbage of a program', () => {
  test('is what it allocates, however much of it is collected meanwhile', () => {
    const garbage = new Garbage()
    let last: number[] = []
    for (let mebibyte = 0; mebibyte < mebibytes; mebibyte++) last = new Array(2 ** 17).fill(mebibyte)
    const { allocatedBytes, pausedMs, worstPauseMs } = garbage.end()
    expect(last).toHaveLength(2 ** 17)
    expect(allocatedBytes).toBeGreaterThan(mebibytes * 2 ** 20)
    expect(allocatedBytes).toBeLessThan(1.5 * mebibytes * 2 ** 20)
    expect(worstPauseMs).toBeGreaterThan(0)
    expect(pausedMs).toBeGreaterThan(worstPauseMs)
  })
})
