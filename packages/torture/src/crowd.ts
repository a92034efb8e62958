import { setTimeout as sleep } from 'node:timers/promises'
import { Random } from '@oneport/kit'
import type { Place } from './check/follow.ts'
import { Client, type ClientOptions } from './client/client.ts'
import type { Host, Owner } from './client/host.ts'
import { LibraryClient } from './client/library-client.ts'
import type { Participant } from './client/participant.ts'
import { ProcessHost } from './client/process-host.ts'
import { type Clock, Journal, type TransportName } from './journal.ts'
import { PageHost } from './page/page-host.ts'
import { clear, type Seat, seatsOf } from './page/seats.ts'
import { payloadOf } from './payload.ts'
import type { planOf } from './plan.ts'
import { textOf } from './reader.ts'
import type { Result, RunOptions } from './run.ts'
import type { Stage } from './stage/stage.ts'
import { until } from './until.ts'

/** How many topics a client follows. */
const [fewest, most] = [1, 8]

/** How often to publish and to look, in milliseconds. */
const tickMs = 20
const longestTickMs = 100

/** How many messages may wait for their acknowledgement before no more are published. */
const mostUnacknowledged = 1_000

/** How long clients that lack messages may get none, in milliseconds. */
export const quietMs = 30_000

/** How often to look for requests that were not answered, in milliseconds. */
export const lookMs = 1_000

/** All of them, or some, in any order. */
const someOf = (transports: readonly TransportName[], random: Random): readonly TransportName[] =>
  random.chance(0.5) ? transports : random.shuffle(transports).slice(0, random.between(1, transports.length))

/** All clients of a run. */
export class Crowd {
  readonly topics: readonly string[]
  readonly clients: Participant[] = []
  readonly journals: Journal[] = []
  readonly #options: RunOptions
  readonly #stage: Stage
  readonly #random: Random
  readonly #stays: Promise<void>[] = []
  readonly #seats: readonly Seat[]
  #looks: NodeJS.Timeout | undefined

  constructor(options: RunOptions, stage: Stage, clock: Clock, random: Random) {
    this.#options = options
    this.#stage = stage
    this.#random = random
    const { doors, browser } = stage
    this.#seats = browser === undefined ? [] : seatsOf(options.pages, browser, doors, random)
    this.topics = Array.from({ length: options.topics }, (_, index) => `topic/ä ${index}`)
    const [big = '', ...others] = this.topics
    for (let index = 0; index < options.clients; index++) {
      const name = `client-${index}`
      const journal = new Journal(name, clock)
      const few = random.shuffle(others).slice(0, random.between(fewest, most))
      // Few clients, which are slow, get the big messages.
      const topics = index % 40 === 0 || few.length === 0 ? [big, ...few] : few
      this.journals.push(journal)
      this.clients.push(this.#client(index, { name, topics, journal, random: new Random(options.seed, index) }))
    }
  }

  #client(index: number, own: Pick<ClientOptions, 'name' | 'topics' | 'journal' | 'random'>): Participant {
    const { answerMs, client, pageFault: fault, pages, transports } = this.#options
    const { doors } = this.#stage
    const { random } = own
    if (client === 'test') return new Client({ ...own, doors, transports, beginning: '-', answerMs })
    const some = someOf(transports, random)
    const watches = random.chance(0.5)
    if (index >= pages) {
      const host = (owner: Owner): Host => new ProcessHost(owner, { doors, transports: some, random })
      return new LibraryClient({ ...own, id: own.name, watches, answerMs, persist: false, host })
    }
    const seat = this.#seats[index] as Seat
    const persist = random.chance(0.5)
    const host = (owner: Owner): Host => new PageHost(owner, { ...seat, transports: some, persist, random, fault })
    return new LibraryClient({ ...own, id: seat.share ?? own.name, watches, answerMs, persist, host })
  }

  get unacknowledged(): number {
    return this.clients.reduce((sum, { unacknowledged }) => sum + unacknowledged, 0)
  }

  get totals(): Omit<Result, 'seconds' | 'contradictions'> {
    const sum = (name: 'acknowledged' | 'abandoned' | 'deliveries' | 'reconnects' | 'gaps'): number =>
      this.clients.reduce((total, client) => total + client[name], 0)
    return {
      published: sum('acknowledged'),
      abandoned: sum('abandoned'),
      deliveries: sum('deliveries'),
      reconnects: sum('reconnects'),
      gaps: sum('gaps')
    }
  }

  /** Lets all clients in, publishes all messages, and breaks things in the meantime. */
  async perform(events: ReturnType<typeof planOf>): Promise<void> {
    const { messages, onProgress, rate, signal } = this.#options
    for (const client of this.clients) this.#stays.push(client.stay())
    this.#looks = setInterval(() => {
      for (const client of this.clients) client.checkAnswers()
    }, lookMs)
    await until(
      () => this.clients.every(({ topics, sinceOf }) => topics.every((topic) => sinceOf(topic) !== '-')),
      quietMs,
      signal
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
        else if (event?.what === 'part') void this.clients[event.client]?.part(event.ms)
        else if (event?.what === 'reload page') void this.clients[event.client]?.reload(event.ms)
        else if (event !== undefined) this.#stage.perform(event, this.#random)
      }
      onProgress(published)
      await sleep(tickMs, undefined, { signal })
    }
  }

  /** Resolves when each client is at the end of each of its topics, or none gets any closer. */
  async arrived(heads: ReadonlyMap<string, Place>): Promise<void> {
    const isThere = (): boolean =>
      this.clients.every(({ topics, sinceOf }) => topics.every((topic) => sinceOf(topic) === textOf(heads.get(topic))))
    while (!isThere()) {
      const { deliveries } = this.totals
      await until(() => isThere() || this.totals.deliveries > deliveries, quietMs, this.#options.signal)
      if (this.totals.deliveries === deliveries) return
    }
  }

  async leave(): Promise<void> {
    clearInterval(this.#looks)
    for (const client of this.clients) client.leave()
    await Promise.all(this.#stays)
    await clear(this.#seats)
  }

  #publish(number: number): void {
    const topic = this.#random.pick(this.topics)
    const payload = payloadOf(`message ${number}`, topic === this.topics[0] && this.topics.length > 1, this.#random)
    this.#random.pick(this.clients).publish(topic, payload)
  }
}
