import { Line } from '../src/line.ts'

test('runs so many tasks at a time, the first ones first, also after some that fail', async () => {
  const line = new Line(3)
  const begun: number[] = []
  let running = 0
  let most = 0
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) =>
      line.run(async () => {
        begun.push(index)
        most = Math.max(most, ++running)
        await new Promise(setImmediate)
        running--
        if (index % 4 === 0) throw new Error('not now')
        return index
      })
    )
  )
  expect(most).toBe(3)
  expect(begun).toEqual([...begun.keys()])
  expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(5)
  expect(results[7]).toEqual({ status: 'fulfilled', value: 7 })
})
