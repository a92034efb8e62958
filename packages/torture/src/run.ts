import { setTimeout as sleep } from 'node:timers/promises'
import { check } from './check/check.ts'
import type { Contradiction } from './check/contradiction.ts'
import type { Place } from './check/follow.ts'
import { Client, type Door } from './client/client.ts'
import { Clock, Journal, type TransportName } from './journal.ts'
import { payloadOf } from './payload.ts'
import { losesMessages, planOf } from './plan.ts'
import { Random } from './random.ts'
import { agreedHeads, textOf } from './reader.ts'
import type { Fault } from './settings.ts'
import { Stage } from './stage/stage.ts'
import type { StoreName } from './store.ts'

export interface RunOptions {
  readonly seed: number
  readonly clients: number
  readonly topics: number
  readonly messages: number
  readonly nodes: number
  readonly store: StoreName
  /** Most messages per second, of all clients together. */
  readonly rate: number
  readonly proxies: boolean
  readonly transports: readonly TransportName[]
  /** Whether anything breaks. */
  readonly chaos: boolean
  readonly fault: Fault | undefined
  readonly onProgress: (done: number) => void
}

export interface Result {
  readonly published: number
  readonly deliveries: number
  readonly reconnects: number
  readonly gaps: number
  readonly seconds: number
  readonly contradictions: readonly Contradiction[]
}

/** How many topics a client follows. */
const [fewest, most] = [1, 8]

/** How often to publish and to look, in milliseconds. */
const tickMs = 20
const longestTickMs = 100

/** How many messages may wait for their acknowledgement before no more are published. */
const mostUnacknowledged = 1_000

/** How long clients have to get their messages acknowledged, and then to get all messages, in milliseconds. */
const [publishMs, quietMs] = [60_000, 30_000]

/** In one run of so many, histories are short. */
const shortEvery = 4
const shortMessages = 50

/** Runs clients, nodes and a store, breaks what a seed says, and checks what the clients saw. */
export async function run(options: RunOptions): Promise<Result> {
  const start = performance.now()
  const { seed, nodes, store, messages, rate, proxies, fault } = options
  const random = new Random(seed)
  const mayTrim = options.chaos && random.below(shortEvery) === 0
  const durationMs = (messages / rate) * 1_000
  const events = options.chaos ? planOf(random, { durationMs, nodes, store, clients: options.clients }) : []
  const stage = await Stage.open({ nodes, store, proxies, fault, messages: mayTrim ? shortMessages : messages + 1 })
  const clock = new Clock()
  const troubles: Contradiction[] = []
  const crowd = new Crowd(options, stage, clock, random)
  try {
    await crowd.perform(events)
    await stage.repaired()
    await until(() => crowd.unacknowledged === 0, publishMs)
    const ports = stage.nodes.map(({ settings }) => settings.port)
    const heads = await agreedHeads(ports, crowd.topics)
    await until(
      () =>
        crowd.clients.every(({ sinceOf, topics }) =>
          topics.every((topic) => sinceOf(topic) === textOf(heads.get(topic)))
        ),
      quietMs
    )
    const reader = new Journal('reader', clock)
    await readAll({ name: 'node 0', port: ports[0] ?? 0 }, heads, reader)
    const mayEnd = losesMessages(events, store)
    troubles.push(...check({ logs: crowd.journals, reader, heads, mayEnd, mayTrim }))
  } catch (error) {
    troubles.push({ what: String(error), lines: [] })
  } finally {
    await crowd.leave()
    await stage.close()
  }
  for (const { output } of stage.nodes)
    if (output !== '') troubles.push({ what: `A node prints: ${output}`, lines: [] })
  return { ...crowd.totals, seconds: (performance.now() - start) / 1_000, contradictions: troubles }
}

/** Reads everything that a node has of some topics. */
async function readAll(door: Door, heads: ReadonlyMap<string, Place>, journal: Journal): Promise<void> {
  const topics = [...heads.keys()]
  const random = new Random(0)
  const reader = new Client({
    name: journal.name,
    topics,
    doors: [door],
    transports: ['stream'],
    random,
    journal,
    beginning: 'all'
  })
  const stay = reader.stay()
  await until(() => topics.every((topic) => reader.sinceOf(topic) === textOf(heads.get(topic))), quietMs)
  reader.leave()
  await stay
}

/** Waits until something is so, or it takes too long. */
async function until(isSo: () => boolean, ms: number): Promise<void> {
  const end = performance.now() + ms
  while (!isSo() && performance.now() < end) await sleep(tickMs)
}

/** All clients of a run. */
class Crowd {
  readonly topics: readonly string[]
  readonly clients: Client[] = []
  readonly journals: Journal[] = []
  readonly #options: RunOptions
  readonly #stage: Stage
  readonly #random: Random
  readonly #stays: Promise<void>[] = []

  constructor(options: RunOptions, stage: Stage, clock: Clock, random: Random) {
    this.#options = options
    this.#stage = stage
    this.#random = random
    this.topics = Array.from({ length: options.topics }, (_, index) => `topic/ä ${index}`)
    const [big = '', ...others] = this.topics
    for (let index = 0; index < options.clients; index++) {
      const name = `client-${index}`
      const journal = new Journal(name, clock)
      const few = random.shuffle(others).slice(0, random.between(fewest, most))
      // Few clients, which are slow, get the big messages.
      const topics = index % 40 === 0 || few.length === 0 ? [big, ...few] : few
      const { transports } = options
      this.journals.push(journal)
      const own = new Random(options.seed, index)
      this.clients.push(
        new Client({ name, topics, doors: stage.doors, transports, random: own, journal, beginning: '-' })
      )
    }
  }

  get unacknowledged(): number {
    return this.clients.reduce((sum, { unacknowledged }) => sum + unacknowledged, 0)
  }

  get totals(): Omit<Result, 'seconds' | 'contradictions'> {
    const sum = (name: 'acknowledged' | 'deliveries' | 'reconnects' | 'gaps'): number =>
      this.clients.reduce((total, client) => total + client[name], 0)
    return {
      published: sum('acknowledged'),
      deliveries: sum('deliveries'),
      reconnects: sum('reconnects'),
      gaps: sum('gaps')
    }
  }

  /** Lets all clients in, publishes all messages, and breaks things in the meantime. */
  async perform(events: ReturnType<typeof planOf>): Promise<void> {
    const { messages, onProgress, rate } = this.#options
    for (const client of this.clients) this.#stays.push(client.stay())
    await until(
      () => this.clients.every(({ topics, sinceOf }) => topics.every((topic) => sinceOf(topic) !== '-')),
      quietMs
    )
    const due = [...events]
    // The clock of the plan. It stands still while the clients cannot keep up.
    let elapsed = 0
    let last = performance.now()
    for (let published = 0; published < messages; ) {
      const now = performance.now()
      if (this.unacknowledged < mostUnacknowledged) elapsed += Math.min(now - last, longestTickMs)
      last = now
      for (; published < Math.min(messages, (elapsed * rate) / 1_000); published++) this.#publish(published)
      while ((due[0]?.atMs ?? Infinity) <= elapsed) {
        const event = due.shift()
        if (event?.what === 'doze') void this.clients[event.client]?.doze(event.ms)
        else if (event !== undefined) this.#stage.perform(event, this.#random)
      }
      onProgress(published)
      await sleep(tickMs)
    }
  }

  async leave(): Promise<void> {
    for (const client of this.clients) client.leave()
    await Promise.all(this.#stays)
  }

  #publish(number: number): void {
    const topic = this.#random.pick(this.topics)
    const payload = payloadOf(`message ${number}`, topic === this.topics[0] && this.topics.length > 1, this.#random)
    this.#random.pick(this.clients).publish(topic, payload)
  }
}
