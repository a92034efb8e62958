import { overdue, within } from '../src/wait.ts'

const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length

test('gives what the promise gives, and leaves no timer', async () => {
  const before = timers()
  expect(await within(60_000, Promise.resolve(7))).toBe(7)
  expect(timers()).toBe(before)
})

test('rejects where the promise does, and leaves no timer', async () => {
  const before = timers()
  await expect(within(60_000, Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  expect(timers()).toBe(before)
})

test('is overdue where nothing comes in time', async () => {
  expect(await within(1, new Promise(() => {}))).toBe(overdue)
})

test('waits without a timer where there is no limit', async () => {
  const before = timers()
  const waiting = within(Infinity, Promise.resolve(7))
  expect(timers()).toBe(before)
  expect(await waiting).toBe(7)
})
