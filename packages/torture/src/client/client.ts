import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '@oneport/kit'
import type { Journal, TransportName } from '../journal.ts'
import { readAnswer, textOf } from './answer.ts'
import type { Participant } from './participant.ts'
import { visitByPolls } from './poll.ts'
import { post } from './post.ts'
import { visitByStream } from './stream.ts'
import { Unanswered } from './unanswered.ts'
import type { Outgoing, Transport, Visit, Visitor } from './visit.ts'
import { visitByWebSocket } from './websocket.ts'

/** An address at which the topics are served: a node, or a proxy. */
export interface Door {
  readonly name: string
  readonly port: number
}

export interface ClientOptions {
  readonly name: string
  readonly topics: readonly string[]
  readonly doors: readonly Door[]
  readonly transports: readonly TransportName[]
  readonly random: Random
  readonly journal: Journal
  /** Where it begins in each topic. */
  readonly beginning: '-' | 'all'
  /** How long a request may take, in milliseconds. */
  readonly answerMs: number
}

interface Position {
  epoch: string
  offset: number
}

const transports: Readonly<Record<TransportName, Transport>> = {
  websocket: visitByWebSocket,
  stream: visitByStream,
  poll: visitByPolls
}

/** Servers remember IDs for a minute, so a client must not send a message any more after that. In milliseconds. */
const triesMs = 50_000

/** How many messages a client posts at a time. */
const mostPosts = 4

/** Delays before a client tries again, in milliseconds. */
const [shortestMs, longestMs] = [20, 250]

/** A client that never gives up: subscribes, publishes, and comes back with where it was. */
export class Client implements Participant, Visitor {
  readonly name: string
  readonly topics: readonly string[]
  readonly answerMs: number
  readonly id: string
  readonly view = undefined
  reconnects = 0
  deliveries = 0
  gaps = 0
  acknowledged = 0
  readonly #options: ClientOptions
  readonly #positions = new Map<string, Position>()
  /** Topics that were answered on this connection. */
  readonly #subscribed = new Set<string>()
  /** Messages that were not acknowledged, with the time after which they are not sent again. */
  readonly #outbox = new Map<string, Outgoing & { readonly until: number }>()
  /** Messages whose POST was not answered. */
  readonly #posting = new Set<string>()
  /** Topics that it does not want for a while. */
  readonly #away = new Set<string>()
  readonly #unanswered = new Unanswered()
  readonly #leaving = new AbortController()
  #visit: Visit | undefined
  #by: TransportName = 'websocket'
  #ids = 0

  constructor(options: ClientOptions) {
    this.name = options.name
    this.id = options.name
    this.topics = options.topics
    this.answerMs = options.answerMs
    this.#options = options
  }

  /** Stays connected until `leave`. Never rejects. */
  async stay(): Promise<void> {
    const { doors, journal, random, transports: names } = this.#options
    while (!this.#leaving.signal.aborted) {
      const door = random.pick(doors)
      const by = random.pick(names)
      const heard = journal.entries.length
      journal.write({ kind: 'connect', by, door: door.name })
      this.#by = by
      this.#visit = transports[by](door.port, this)
      // Requests of their own need not wait for the answer.
      if (this.#visit.publish === undefined) this.#sendAll()
      await this.#visit.ended
      this.#visit = undefined
      this.#subscribed.clear()
      this.#unanswered.clear()
      if (this.#leaving.signal.aborted) return
      journal.write({ kind: 'lost' })
      this.reconnects++
      // At once, unless nobody has answered.
      const hasHeard = journal.entries.slice(heard).some(({ kind }) => kind === 'subscribed')
      if (!hasHeard) await this.#moment()
    }
  }

  leave(): void {
    this.#leaving.abort()
    this.#visit?.end()
  }

  /** Does not read for a while. */
  async doze(ms: number): Promise<void> {
    const visit = this.#visit
    visit?.pause()
    await sleep(ms)
    visit?.resume()
  }

  /** Unsubscribes from a topic, and subscribes again after a while. A client always has a topic. */
  async part(ms: number): Promise<void> {
    const { wanted } = this
    if (wanted.length < 2) return
    const topic = this.#options.random.pick(wanted)
    this.#away.add(topic)
    this.#visit?.change(topic)
    await sleep(ms)
    // Messages may arrive until then, so it does not know yet from where to go on.
    while (this.#unanswered.has(`unsubscribe ${topic}`)) await this.#moment()
    this.#away.delete(topic)
    this.#visit?.change(topic)
  }

  /** It is no page. */
  async reload(): Promise<void> {}

  /** Reports requests that should have been answered, and loses the connection. */
  checkAnswers(): void {
    const overdue = this.#unanswered.overdue(this.answerMs)
    for (const what of overdue) this.trouble(`no answer to ${what} in ${this.answerMs} ms`)
    if (overdue.length > 0) this.#visit?.end()
  }

  /** Number of requests that wait for an answer. */
  get unanswered(): number {
    return this.#unanswered.size
  }

  /** Those that it wants at the moment. */
  get wanted(): readonly string[] {
    return this.topics.filter((topic) => !this.#away.has(topic))
  }

  publish(topic: string, payload: string | Buffer): void {
    const message = { topic, payload, id: `${this.name}-${++this.#ids}`, until: performance.now() + triesMs }
    this.#outbox.set(message.id, message)
    this.#send(message)
  }

  /** Number of messages that were not acknowledged. */
  get unacknowledged(): number {
    const now = performance.now()
    return [...this.#outbox.values()].filter(({ until }) => until > now).length
  }

  /** Number of messages that were not acknowledged in time. */
  get abandoned(): number {
    return this.#outbox.size - this.unacknowledged
  }

  /** Where the client is in a topic, as in `since` of the protocol. */
  sinceOf = (topic: string): string => {
    const position = this.#positions.get(topic)
    return position === undefined ? this.#options.beginning : `${position.epoch}:${position.offset}`
  }

  ask(topic: string): void {
    // A poll is answered late, and all topics at once.
    if (this.#by !== 'poll') this.#unanswered.ask(`subscribe ${topic}`)
    this.#options.journal.write({ kind: 'ask', topic, since: this.sinceOf(topic) })
  }

  dismiss(topic: string): void {
    this.#unanswered.answer(`subscribe ${topic}`)
    this.#unanswered.ask(`unsubscribe ${topic}`)
  }

  trouble(what: string): void {
    this.#options.journal.write({ kind: 'trouble', what })
  }

  compare(topics: readonly string[], positions: string): void {
    const expected = topics.map(this.sinceOf).join()
    if (positions !== expected)
      this.trouble(`the server takes the client for at ${positions}, and it is at ${expected}`)
  }

  hear(data: string | Buffer): void {
    const { kind, fields, topic, payload } = readAnswer(data)
    const [first = '', second = '', third = ''] = fields
    const { journal } = this.#options
    switch (kind) {
      case 'message': {
        const offset = Number(first)
        this.deliveries++
        journal.write({ kind, topic, offset, payload })
        const position = this.#positions.get(topic)
        if (position !== undefined) position.offset = offset
        break
      }
      case 'subscribed': {
        this.#unanswered.answer(`subscribe ${topic}`)
        const isFirst = this.#subscribed.size === 0
        this.#subscribed.add(topic)
        journal.write({ kind, topic, epoch: first, offset: Number(second), beginning: third })
        if (third === 'gap') this.gaps++
        this.#positions.set(topic, { epoch: first, offset: Number(second) })
        // The connection works.
        if (isFirst && this.#visit?.publish !== undefined) this.#sendAll()
        break
      }
      case 'unsubscribed':
        this.#unanswered.answer(`unsubscribe ${topic}`)
        this.#subscribed.delete(topic)
        journal.write({ kind, topic })
        break
      case 'gap':
        this.gaps++
        journal.write({ kind, topic, epoch: first, offset: Number(second) })
        this.#positions.set(topic, { epoch: first, offset: Number(second) })
        break
      case 'published':
        this.#unanswered.answer(`publish ${first}`)
        this.#acknowledge(first, Number(second))
        break
      case 'error':
        this.#unanswered.answer(`${second} ${second === 'publish' ? third : topic}`)
        void this.#refused(first, second, third, topic)
        break
      default:
        this.trouble(`unexpected ${kind}`)
    }
  }

  #acknowledge(id: string, offset: number): void {
    if (this.#outbox.delete(id)) this.acknowledged++
    this.#options.journal.write({ kind: 'published', id, offset })
  }

  async #refused(code: string, what: string, id: string, topic: string): Promise<void> {
    if (code !== 'busy' && code !== 'failed') this.trouble(`error ${code} ${what} ${topic}`)
    if (what === 'subscribe') this.#subscribed.delete(topic)
    const visit = this.#visit
    await this.#moment()
    if (visit !== this.#visit) return
    if (what === 'subscribe' && this.#lacks(topic)) visit?.askAgain(topic)
    const message = this.#outbox.get(id)
    if (message !== undefined) this.#send(message)
  }

  /** Whether it wants a topic that it neither has nor has asked for. */
  #lacks(topic: string): boolean {
    return !this.#away.has(topic) && !this.#subscribed.has(topic) && !this.#unanswered.has(`subscribe ${topic}`)
  }

  #send(message: Outgoing & { readonly until: number }): void {
    if (performance.now() > message.until) return
    const { topic, id, payload } = message
    const visit = this.#visit
    if (visit === undefined) return
    const isPost = visit.publish === undefined
    if (isPost ? !this.#mayPost(id) : visit.publish?.(message) === false) return
    if (!isPost) this.#unanswered.ask(`publish ${id}`)
    this.#options.journal.write({ kind: 'send', topic, id, payload: textOf(payload) })
    if (isPost) void this.#post(message)
  }

  #mayPost(id: string): boolean {
    return this.#posting.size < mostPosts && !this.#posting.has(id)
  }

  #sendAll(): void {
    for (const message of this.#outbox.values()) this.#send(message)
  }

  /** Sends a message, and then itself again, or the next one. */
  async #post(message: Outgoing & { readonly until: number }): Promise<void> {
    const { doors, random } = this.#options
    const { signal } = this.#leaving
    this.#posting.add(message.id)
    const offset = await post(random.pick(doors).port, this, message, signal)
    this.#posting.delete(message.id)
    if (offset !== undefined) this.#acknowledge(message.id, offset)
    else await this.#moment()
    // There is room for another one.
    const next = this.#outbox.get(message.id) ?? [...this.#outbox.values()].find(({ id }) => !this.#posting.has(id))
    if (!signal.aborted && next !== undefined) this.#send(next)
  }

  #moment(): Promise<void> {
    return sleep(this.#options.random.between(shortestMs, longestMs))
  }
}
