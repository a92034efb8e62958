import { setTimeout as sleep } from 'node:timers/promises'
import { crowd } from '../crowd.ts'
import type { DialectName } from '../dialect.ts'
import { held } from '../held.ts'
import { writeMessage } from './ledger.ts'
import { Listener } from './listener.ts'
import { talkOf } from './talk.ts'

const atOnce = 64
const everyone = 'news'

export interface Subscribers {
  readonly count: number
  /** Number of topics that the subscribers share. */
  readonly shared: number
  /** Of these, how many each subscribes to, besides one of its own. */
  readonly each: number
}

/** Opens clients with several topics each, and holds them. */
export async function openSubscribers(port: number, dialect: DialectName, subscribers: Subscribers): Promise<void> {
  const { count, shared, each } = subscribers
  let next = 0
  await crowd(count, atOnce, async () => {
    const index = next++
    const topics = Array.from({ length: each }, (_, at) => `room/${(index * each + at) % shared}`)
    const listener = new Listener(port, talkOf(dialect, [...topics, `inbox/${index}`]), topics)
    await listener.open()
    held.push(listener.handOver())
  })
}

export interface Gathering {
  readonly clients: number
  /** Number of rooms. Each client is in one of them, and in a topic for everyone. */
  readonly rooms: number
  /** The server at which messages are published. */
  readonly otherPort: number
  readonly patienceMs: number
}

/** What became of the clients after a restart. Each is counted in one of the first four. */
export interface Return {
  /** Number of clients that have every message. */
  readonly complete: number
  /** Number of clients that the server has told that messages are missing. */
  readonly told: number
  /** Number of clients that lack a message, got a later one of the same topic, and were not told. */
  readonly unaware: number
  /** Number of clients that are not back, or still wait for messages. */
  readonly late: number
  /** Messages that arrived again. */
  readonly doubled: number
  /** Milliseconds until the last client was back and had all that was published meanwhile, or knew that it had not. */
  readonly doneMs: number
}

/** How long messages are still published once the server is back, in milliseconds. */
export const lingerMs = 3_000
/** How long nothing has arrived when it is quiet, in milliseconds. */
const quietMs = 2_000
/** One of so many messages is for everyone. The others are for one room after the other. */
export const rare = 25

let listeners: Listener[] = []
let publisher: Listener | undefined
/** How many messages of each topic were published. */
let published = new Map<string, number>()
let rooms = 0
let turn = 0
let timer: NodeJS.Timeout | undefined
/** Those who wait for something to become true of all clients. */
const watches = new Set<(listener: Listener) => void>()
let newsAt = 0

function notice(listener: Listener): void {
  newsAt = performance.now()
  for (const watch of watches) watch(listener)
}

/** Resolves with the milliseconds until something was true of each client at some time, or until patience ends. */
function allHaveBeen(isSo: (listener: Listener) => boolean, patienceMs: number): Promise<number> {
  const started = performance.now()
  const missing = new Set(listeners)
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(deadline)
      watches.delete(watch)
      resolve(performance.now() - started)
    }
    const watch = (listener: Listener): void => {
      if (missing.has(listener) && isSo(listener) && missing.delete(listener) && missing.size === 0) end()
    }
    const deadline = setTimeout(end, patienceMs)
    watches.add(watch)
    for (const listener of listeners) watch(listener)
  })
}

/** Opens the clients, and sends each a message of each of its topics. */
export async function gather(port: number, dialect: DialectName, gathering: Gathering): Promise<void> {
  rooms = gathering.rooms
  published = new Map()
  listeners = []
  publisher = new Listener(gathering.otherPort, talkOf(dialect, ['publisher']), [], notice)
  await publisher.open()
  let next = 0
  await crowd(gathering.clients, atOnce, async () => {
    const topics = [everyone, roomAt(next++)]
    const listener = new Listener(port, talkOf(dialect, topics), topics, notice)
    await listener.open()
    listeners.push(listener)
  })
  for (const topic of [everyone, ...Array.from({ length: rooms }, (_, index) => roomAt(index))]) publish(topic)
  await allHaveBeen((listener) => missingOf(listener) === 0, gathering.patienceMs)
  if (listeners.some((listener) => missingOf(listener) > 0)) throw new Error('Messages are missing before a restart.')
}

const roomAt = (index: number): string => `room/${index % rooms}`

function publish(topic: string): void {
  const number = (published.get(topic) ?? 0) + 1
  published.set(topic, number)
  publisher?.publish(topic, writeMessage({ topic, number }))
}

/** How many messages of its topics a client lacks, of those that there were at some time. */
const missingOf = ({ received, topics }: Listener, until = published): number =>
  topics.reduce((sum, topic) => sum + received.missing(topic, until.get(topic) ?? 0), 0)

/** Publishes at an even rate from now on, until some time after the server is back. */
export function publishOn({ perSecond }: { readonly perSecond: number }): void {
  timer = setInterval(() => publish(++turn % rare === 0 ? everyone : roomAt(turn)), 1_000 / perSecond)
}

/** Waits until all clients are back and have what they missed, and counts what is missing in the end. */
export async function comeBack({ patienceMs }: { readonly patienceMs: number }): Promise<Return> {
  const until = new Map(published)
  const isDone = (listener: Listener): boolean =>
    listener.isOpen && (listener.told > 0 || missingOf(listener, until) === 0)
  const end = sleep(lingerMs).then(() => clearInterval(timer))
  const doneMs = await allHaveBeen(isDone, patienceMs)
  await end
  // The last of its topic shows whether one before it is missing.
  for (const topic of published.keys()) publish(topic)
  await quiet()
  const fates = listeners.map(fateOf)
  const count = (fate: Fate): number => fates.filter((other) => other === fate).length
  const found: Return = {
    complete: count('complete'),
    told: count('told'),
    unaware: count('unaware'),
    late: count('late'),
    doubled: listeners.reduce((sum, { received }) => sum + received.doubled, 0),
    doneMs
  }
  await Promise.all([...listeners, publisher].map((listener) => listener?.leave()))
  return found
}

type Fate = Exclude<keyof Return, 'doubled' | 'doneMs'>

function fateOf(listener: Listener): Fate {
  const { isOpen, received, told, topics } = listener
  if (!isOpen) return 'late'
  if (told > 0) return 'told'
  if (topics.some((topic) => received.hasHole(topic))) return 'unaware'
  return missingOf(listener) === 0 ? 'complete' : 'late'
}

/** Resolves when nobody lacks anything without knowing it, or nothing arrives any more. */
async function quiet(): Promise<void> {
  newsAt = performance.now()
  const isWhole = (listener: Listener): boolean => !listener.isOpen || listener.told > 0 || missingOf(listener) === 0
  while (performance.now() - newsAt < quietMs && !listeners.every(isWhole)) await sleep(quietMs / 10)
}
