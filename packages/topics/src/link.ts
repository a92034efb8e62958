import { randomBytes } from 'node:crypto'
import type { Backplane } from './backplane.ts'
import { nodeIdLength, type Opened, open, seal } from './envelope.ts'
import { TopicsError } from './errors.ts'
import type { Message } from './message.ts'
import type { BackplaneStats } from './stats.ts'

/** Milliseconds between two looks at a backplane that is down. */
const lookMs = 250

/** Milliseconds until a backplane is asked again for what it has refused. */
const retryMs = 1_000

/** What comes of handing a message over. */
export type HandedOver = { readonly isSent: true } | { readonly isSent: false; readonly error: unknown }

interface Listeners {
  /** Called with each message of another node. */
  receive(topic: string, message: Opened): void
  onError(error: unknown, topic: string): void
}

/** Connects the topics of this node with a backplane: one subscription for each topic, whoever has it here. */
export class Link {
  readonly #backplane: Backplane
  readonly #listeners: Listeners
  readonly #nodeId = randomBytes(nodeIdLength)
  /** Topics that somebody has here. */
  readonly #wanted = new Set<string>()
  /** Topics that the backplane brings. */
  readonly #subscribed = new Set<string>()
  /** Those of them that may be gone, because the backplane has refused to unsubscribe. */
  readonly #doubtful = new Set<string>()
  /** Topics that are wanted and not subscribed, or may not be. */
  readonly #missing = new Set<string>()
  /** Topics for which the backplane is at work. */
  readonly #busy = new Set<string>()
  /** Topics for which it has to be asked again, each with the time from which on. */
  readonly #late = new Map<string, number>()
  readonly #counts = { sent: 0, received: 0, foreign: 0, failed: 0 }
  #timer: NodeJS.Timeout | undefined
  #closed: Promise<void> | undefined

  constructor(backplane: Backplane, listeners: Listeners) {
    this.#backplane = backplane
    this.#listeners = listeners
  }

  get stats(): BackplaneStats {
    return {
      health: this.#backplane.health(),
      topics: this.#subscribed.size,
      missing: this.#missing.size,
      ...this.#counts
    }
  }

  /** Somebody has the topic now. */
  want(topic: string): void {
    this.#wanted.add(topic)
    if (!this.#isSubscribed(topic)) this.#missing.add(topic)
    void this.#settle(topic)
  }

  /** Nobody has it any more. */
  release(topic: string): void {
    this.#wanted.delete(topic)
    this.#missing.delete(topic)
    if (!this.#isClosed) void this.#settle(topic)
  }

  /** Hands a message over to the other nodes. Never rejects. */
  async publish(topic: string, message: Message): Promise<HandedOver> {
    try {
      if (this.#isClosed) throw new TopicsError('TOPICS_CLOSED', 'These topics are closed.')
      await this.#backplane.publish(topic, seal(message, this.#nodeId))
      this.#counts.sent++
      return { isSent: true }
    } catch (error) {
      this.#counts.failed++
      this.#tell(error, topic)
      return { isSent: false, error }
    }
  }

  /** Never rejects. */
  close(): Promise<void> {
    this.#closed ??= this.#end()
    return this.#closed
  }

  get #isClosed(): boolean {
    return this.#closed !== undefined
  }

  async #end(): Promise<void> {
    clearInterval(this.#timer)
    try {
      await this.#backplane.close()
    } catch (error) {
      this.#tell(error, '')
    }
    this.#subscribed.clear()
  }

  /** Has the backplane do what is wanted, one step at a time, however often that changes meanwhile. */
  async #settle(topic: string): Promise<void> {
    if (this.#busy.has(topic)) return
    this.#busy.add(topic)
    try {
      while (!this.#isClosed && !this.#isSettled(topic)) {
        if (this.#backplane.health() === 'down') {
          this.#askLater(topic, 0)
          break
        }
        await this.#step(topic)
      }
    } catch (error) {
      this.#tell(error, topic)
      this.#askLater(topic, performance.now() + retryMs)
    }
    this.#busy.delete(topic)
  }

  async #step(topic: string): Promise<void> {
    if (this.#wanted.has(topic)) {
      await this.#backplane.subscribe(topic, this.#receive)
      this.#subscribed.add(topic)
      this.#doubtful.delete(topic)
      this.#missing.delete(topic)
    } else {
      await this.#unsubscribe(topic)
    }
  }

  /** A topic that is wanted again meanwhile is missing after that, whether the backplane did it or not. */
  async #unsubscribe(topic: string): Promise<void> {
    try {
      await this.#backplane.unsubscribe(topic)
      this.#subscribed.delete(topic)
      this.#doubtful.delete(topic)
    } catch (error) {
      this.#doubtful.add(topic)
      throw error
    } finally {
      if (this.#wanted.has(topic)) this.#missing.add(topic)
    }
  }

  #isSubscribed(topic: string): boolean {
    return this.#subscribed.has(topic) && !this.#doubtful.has(topic)
  }

  #isSettled(topic: string): boolean {
    return this.#wanted.has(topic) ? this.#isSubscribed(topic) : !this.#subscribed.has(topic)
  }

  #askLater(topic: string, from: number): void {
    if (this.#isClosed) return
    this.#late.set(topic, from)
    this.#timer ??= setInterval(() => this.#askAgain(), lookMs).unref()
  }

  #askAgain(): void {
    if (this.#backplane.health() === 'down') return
    const now = performance.now()
    for (const [topic, from] of this.#late) {
      if (from > now) continue
      this.#late.delete(topic)
      void this.#settle(topic)
    }
    if (this.#late.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  readonly #receive = (bytes: Buffer, topic: string): void => {
    if (this.#isClosed) return
    const message = open(bytes)
    if (message === undefined) {
      this.#counts.foreign++
    } else if (!message.nodeId.equals(this.#nodeId)) {
      this.#counts.received++
      this.#listeners.receive(topic, message)
    }
  }

  #tell(error: unknown, topic: string): void {
    try {
      this.#listeners.onError(error, topic)
    } catch (fault) {
      // Later, so that the state of the subscriptions stays right.
      process.nextTick(() => {
        throw fault
      })
    }
  }
}
