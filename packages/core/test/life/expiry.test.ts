import { type Expiring, Expiry } from '../../src/life/expiry.ts'
import { Timers } from '../../src/life/timers.ts'

const start = new Date('2030-01-01T00:00:00Z').getTime()
beforeEach(() => void jest.useFakeTimers({ now: start }))
afterEach(() => void jest.useRealTimers())

/** Keeps the times since the start at which the credential expired. */
class Connection implements Expiring {
  readonly ends: number[] = []
  expireCredential(): void {
    this.ends.push(Date.now() - start)
  }
}

test('ends each connection at its time, with one timer', () => {
  const expiry = new Expiry(new Timers())
  const [early, late] = [new Connection(), new Connection()]
  expiry.set(late, start + 5_000)
  expiry.set(early, start + 1_000)
  expect(jest.getTimerCount()).toBe(1)
  jest.advanceTimersByTime(10_000)
  expect([early.ends, late.ends]).toEqual([[1_000], [5_000]])
  expect(jest.getTimerCount()).toBe(0)
})

test('ends a connection whose time is over at once, but not within the call', () => {
  const expiry = new Expiry(new Timers())
  const connection = new Connection()
  expiry.set(connection, start - 1)
  expect(connection.ends).toEqual([])
  jest.advanceTimersByTime(1)
  expect(connection.ends).toHaveLength(1)
})

test('follows a time that is moved, in either direction, or removed', () => {
  const expiry = new Expiry(new Timers())
  const [later, sooner, never] = [new Connection(), new Connection(), new Connection()]
  for (const connection of [later, sooner, never]) expiry.set(connection, start + 2_000)
  expiry.set(later, start + 3_000)
  expiry.set(sooner, start + 1_000)
  expiry.set(never, Infinity)
  jest.advanceTimersByTime(10_000)
  expect([later.ends, sooner.ends, never.ends]).toEqual([[3_000], [1_000], []])
})

test('has no timer while nothing expires', () => {
  const expiry = new Expiry(new Timers())
  const connection = new Connection()
  expiry.set(connection, Infinity)
  expect(jest.getTimerCount()).toBe(0)
  expiry.set(connection, start + 1_000)
  expiry.delete(connection)
  expiry.delete(connection)
  expect(jest.getTimerCount()).toBe(0)
})

test('waits longer than a timer can', () => {
  const expiry = new Expiry(new Timers())
  const connection = new Connection()
  const days = 60 * 86_400_000
  expiry.set(connection, start + days)
  jest.advanceTimersByTime(days - 1)
  expect(connection.ends).toEqual([])
  jest.advanceTimersByTime(1)
  expect(connection.ends).toEqual([days])
})

test('notices within a minute that the clock was set', () => {
  const expiry = new Expiry(new Timers())
  const connection = new Connection()
  expiry.set(connection, start + 86_400_000)
  jest.setSystemTime(start + 86_400_001)
  jest.advanceTimersByTime(60_000)
  expect(connection.ends).toHaveLength(1)
})

test('ends connections that expire close together in one turn', () => {
  const expiry = new Expiry(new Timers())
  const connections = Array.from({ length: 100 }, () => new Connection())
  connections.forEach((connection, index) => void expiry.set(connection, start + 1_000 + index / 10))
  jest.advanceTimersByTime(1_030)
  expect(connections.every(({ ends }) => ends.length === 1)).toBe(true)
  expect(new Set(connections.flatMap(({ ends }) => ends)).size).toBeLessThanOrEqual(2)
})
