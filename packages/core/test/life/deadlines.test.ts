import { Deadlines, type Due } from '../../src/life/deadlines.ts'
import { Timers } from '../../src/life/timers.ts'

beforeEach(() => void jest.useFakeTimers())
afterEach(() => void jest.useRealTimers())

const waiting = (again = false): Due & { expire: jest.Mock } => ({
  expire: jest.fn(() => again),
  due: undefined,
  inFront: undefined,
  behind: undefined
})

test('expires each handshake at its time, with one timer for all', () => {
  const pending = new Deadlines(100, new Timers())
  const handshakes = Array.from({ length: 5 }, () => {
    const handshake = waiting()
    pending.add(handshake, performance.now())
    jest.advanceTimersByTime(10)
    return handshake
  })
  expect(jest.getTimerCount()).toBe(1)
  jest.advanceTimersByTime(50)
  expect(handshakes.map(({ expire }) => expire.mock.calls.length)).toEqual([1, 0, 0, 0, 0])
  jest.advanceTimersByTime(40)
  expect(handshakes.map(({ expire }) => expire.mock.calls.length)).toEqual([1, 1, 1, 1, 1])
  expect(pending.size).toBe(0)
  expect(jest.getTimerCount()).toBe(0)
})

test('regression: a listener that throws at the end of one kept the others waiting', () => {
  const nextTick = jest.spyOn(process, 'nextTick').mockImplementation(() => {})
  const pending = new Deadlines(100, new Timers())
  const [one, two, three] = [waiting(), waiting(), waiting()]
  const fault = new Error('from a listener')
  one.expire.mockImplementation(() => {
    throw fault
  })
  for (const handshake of [one, two]) pending.add(handshake, performance.now())
  jest.advanceTimersByTime(50)
  pending.add(three, performance.now())
  jest.advanceTimersByTime(100)
  expect([two, three].map(({ expire }) => expire.mock.calls.length)).toEqual([1, 1])
  expect(pending.size).toBe(0)
  expect(nextTick).toHaveBeenCalledTimes(1)
  expect(nextTick.mock.calls[0]?.[0]).toThrow(fault)
  nextTick.mockRestore()
})

test('does not expire answered handshakes, and stops its timer soon after none is waiting', () => {
  const pending = new Deadlines(100, new Timers())
  const [one, two] = [waiting(), waiting()]
  pending.add(one, performance.now())
  pending.add(two, performance.now())
  pending.delete(one)
  pending.delete(one)
  jest.advanceTimersByTime(100)
  expect(one.expire).not.toHaveBeenCalled()
  expect(two.expire).toHaveBeenCalledTimes(1)
  const three = waiting()
  for (const handshake of [one, two, three]) pending.add(handshake, performance.now())
  for (const handshake of [two, three, one]) pending.delete(handshake)
  expect(pending.size).toBe(0)
  jest.advanceTimersByTime(100)
  expect([one, two, three].map(({ expire }) => expire.mock.calls.length)).toEqual([0, 1, 0])
  expect(jest.getTimerCount()).toBe(0)
})

test('gives the same time once more to what asks for it', () => {
  const pending = new Deadlines(100, new Timers())
  const slow = waiting(true)
  pending.add(slow, performance.now())
  jest.advanceTimersByTime(250)
  expect(slow.expire).toHaveBeenCalledTimes(2)
  expect(pending.size).toBe(1)
  pending.delete(slow)
})

test('waits for ever if the time is Infinity', () => {
  const pending = new Deadlines(Infinity, new Timers())
  pending.add(waiting(), performance.now())
  expect(jest.getTimerCount()).toBe(0)
  expect(pending.size).toBe(1)
})
