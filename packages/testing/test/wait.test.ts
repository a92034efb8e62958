import { overdue, within } from '../src/wait.ts'

const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length

test('resolves with the value of the promise, and leaves no timer', async () => {
  const before = timers()
  expect(await within(60_000, Promise.resolve(7))).toBe(7)
  expect(timers()).toBe(before)
})

test('rejects if the promise does, and leaves no timer', async () => {
  const before = timers()
  await expect(within(60_000, Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  expect(timers()).toBe(before)
})

test('times out if nothing happens', async () => {
  expect(await within(1, new Promise(() => {}))).toBe(overdue)
})

test('waits without a timer if there is no limit', async () => {
  const before = timers()
  const waiting = within(Infinity, Promise.resolve(7))
  expect(timers()).toBe(before)
  expect(await waiting).toBe(7)
})
