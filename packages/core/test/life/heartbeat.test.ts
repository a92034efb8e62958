import { type Beating, Heartbeat } from '../../src/life/heartbeat.ts'
import { Timers } from '../../src/life/timers.ts'

beforeEach(() => void jest.useFakeTimers())
afterEach(() => void jest.useRealTimers())

class Peer implements Beating {
  bytesRead = 0
  isPaused = false
  slotOfBeat: number | undefined
  placeInSlot = 0
  bytesAtLook = 0
  restsAtLook = false
  pings = 0
  expired = 0
  answers = true
  heartbeat: Heartbeat | undefined

  ping(): void {
    this.pings++
    if (!this.answers) return
    this.bytesRead += 2
    this.heartbeat?.pong(this)
  }

  expire(): void {
    this.expired++
  }
}

const beat = () => new Heartbeat({ intervalMs: 1_000, timeoutMs: 300 }, new Timers())

test('pings a silent peer once per interval, and keeps it while it answers', () => {
  const heartbeat = beat()
  const peer = Object.assign(new Peer(), { heartbeat })
  heartbeat.add(peer)
  jest.advanceTimersByTime(10_000)
  expect(peer.pings).toBe(10)
  expect(peer.expired).toBe(0)
  heartbeat.delete(peer)
})

test('does not ping a peer that sends', () => {
  const heartbeat = beat()
  const peer = new Peer()
  heartbeat.add(peer)
  for (let time = 0; time < 5_000; time += 100) {
    peer.bytesRead++
    jest.advanceTimersByTime(100)
  }
  expect(peer.pings).toBe(0)
  heartbeat.delete(peer)
})

test.each([0, 7, 260, 510, 999])(
  'terminates a dead peer within interval and timeout, %i ms after its first check',
  (lived) => {
    const heartbeat = beat()
    const peers = Array.from({ length: 100 }, () => Object.assign(new Peer(), { answers: false }))
    for (const peer of peers) {
      heartbeat.add(peer)
      peer.expire = () => {
        peer.expired++
        heartbeat.delete(peer)
      }
    }
    for (let time = 0; time < lived; time++) {
      for (const peer of peers) peer.bytesRead++
      jest.advanceTimersByTime(1)
    }
    expect(peers.every(({ pings }) => pings === 0)).toBe(true)
    jest.advanceTimersByTime(1_000 + 300 + 20)
    expect(peers.map(({ pings, expired }) => [pings, expired])).toEqual(peers.map(() => [1, 1]))
  }
)

test('pings no sooner than half an interval after the last byte', () => {
  const heartbeat = beat()
  const peers = Array.from({ length: 100 }, () => new Peer())
  for (const peer of peers) heartbeat.add(peer)
  for (let time = 0; time < 777; time++) {
    for (const peer of peers) peer.bytesRead++
    jest.advanceTimersByTime(1)
  }
  jest.advanceTimersByTime(490)
  expect(peers.every(({ pings }) => pings === 0)).toBe(true)
  for (const peer of peers) heartbeat.delete(peer)
})

test('does not terminate a peer that sends anything after the ping, or that is not being read', () => {
  const heartbeat = beat()
  const [slow, paused] = [new Peer(), new Peer()]
  for (const peer of [slow, paused]) {
    peer.answers = false
    heartbeat.add(peer)
  }
  paused.isPaused = true
  const wasPinged = () => slow.pings === 1
  while (!wasPinged()) jest.advanceTimersByTime(10)
  slow.bytesRead++
  jest.advanceTimersByTime(400)
  expect(slow.expired).toBe(0)
  jest.advanceTimersByTime(5_000)
  expect([paused.pings, paused.expired]).toEqual([0, 0])
  for (const peer of [slow, paused]) heartbeat.delete(peer)
})

test('keeps a peer that answers late, if the timeout is longer than the interval', () => {
  const heartbeat = new Heartbeat({ intervalMs: 100, timeoutMs: 350 }, new Timers())
  const [late, dead] = [new Peer(), new Peer()]
  for (const peer of [late, dead]) {
    peer.answers = false
    heartbeat.add(peer)
  }
  while (late.pings === 0) jest.advanceTimersByTime(10)
  late.bytesRead += 2
  late.answers = true
  jest.advanceTimersByTime(2_000)
  expect(late.expired).toBe(0)
  expect(dead.expired).toBeGreaterThan(0)
  for (const peer of [late, dead]) heartbeat.delete(peer)
})

test('spreads ten thousand pings evenly over the interval', () => {
  const heartbeat = new Heartbeat({ intervalMs: 30_000, timeoutMs: 10_000 }, new Timers())
  const peers = Array.from({ length: 10_000 }, () => new Peer())
  for (const peer of peers) heartbeat.add(peer)
  expect(jest.getTimerCount()).toBe(1)
  const total = () => peers.reduce((sum, { pings }) => sum + pings, 0)
  let most = 0
  let before = 0
  for (let time = 0; time < 30_000; time += 250) {
    jest.advanceTimersByTime(250)
    most = Math.max(most, total() - before)
    before = total()
  }
  expect(before).toBe(10_000)
  expect(most).toBeLessThanOrEqual(84)
  for (const peer of peers) heartbeat.delete(peer)
})

test('has no timer once the last connection has gone', () => {
  const heartbeat = beat()
  const peer = new Peer()
  heartbeat.add(peer)
  expect(jest.getTimerCount()).toBe(1)
  heartbeat.delete(peer)
  heartbeat.delete(peer)
  expect(jest.getTimerCount()).toBe(0)
  heartbeat.add(peer)
  expect(jest.getTimerCount()).toBe(1)
  heartbeat.delete(peer)
})
