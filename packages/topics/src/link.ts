import { randomBytes } from 'node:crypto'
import {
  type Backplane,
  type BackplaneHealth,
  type HistoryBackplane,
  isHealth,
  type KeptLimits,
  type Position
} from './backplane.ts'
import type { Context } from './context.ts'
import { nodeIdLength, type Opened, open, openNotice, seal, sealNotice } from './envelope.ts'
import { expected, TopicsError } from './errors.ts'
import type { Message } from './message.ts'
import type { BackplaneStats } from './stats.ts'
import { tell } from './told.ts'

/** How often to check whether topics can be tried again, in milliseconds. */
const lookMs = 250

/** Delay before a failed request to the backplane is repeated, in milliseconds. */
const retryMs = 1_000

/** Most topics with a pending request. A backplane may be slow, and clients may name any number of topics. */
const mostAtWork = 1_000

/** When the backplane has failed to unsubscribe from this many topics, it is not asked to subscribe to new ones. */
const mostDoubtful = 10_000

/** The result of handing over a message. */
export type HandedOver =
  | { readonly isSent: true; readonly offset: number | undefined }
  | { readonly isSent: false; readonly error: unknown }

interface Listeners {
  /** Called with each message from another node, and with each appended one. */
  receive(topic: string, message: Opened, position: Position | undefined): void
  /** Called with what another node tells. Returns false if no node of this version has written it. */
  notice(topic: string, node: string, notice: Buffer): boolean
  /** Called when messages may be missing: after the topic was subscribed, and when the backplane says so. */
  lost(topic: string): void
  onError(error: unknown, topic: string): void
}

/** Connects the topics of this node to a backplane: one subscription per topic, however many sockets share it. */
export class Link {
  readonly #backplane: Backplane | HistoryBackplane
  readonly #listeners: Listeners
  readonly #nodeId = randomBytes(nodeIdLength)
  /** Topics with subscribers on this node. */
  readonly #wanted = new Set<string>()
  /** Topics that the backplane is subscribed to. */
  readonly #subscribed = new Set<string>()
  /** Subscribed topics that may have been lost, because the backplane failed to unsubscribe. */
  readonly #doubtful = new Set<string>()
  /** Wanted topics that are not subscribed, or may not be. */
  readonly #missing = new Set<string>()
  /** Topics with a pending request to the backplane. */
  readonly #busy = new Set<string>()
  /** Topics that wait for the requests of others. */
  readonly #queued = new Set<string>()
  /** Topics to try again, each with the earliest time to do so. */
  readonly #late = new Map<string, number>()
  readonly #counts = { sent: 0, received: 0, foreign: 0, failed: 0 }
  readonly #context: Context
  /** Whether the last call of the backplane's `health()` failed. */
  #isUnwell = false
  #timer: NodeJS.Timeout | undefined
  #closed: Promise<void> | undefined

  /**
   * @param context runs subscriptions, which outlive the client that was the first to need them, and messages from
   * other nodes
   */
  constructor(backplane: Backplane, listeners: Listeners, context: Context) {
    this.#backplane = backplane
    this.#listeners = listeners
    this.#context = context
  }

  get stats(): BackplaneStats {
    return {
      health: this.#health(),
      topics: this.#subscribed.size,
      missing: this.#missing.size,
      ...this.#counts
    }
  }

  /** Names this node in what it tells the others. */
  get nodeId(): string {
    return this.#nodeId.toString('hex')
  }

  /** Whether messages of a topic arrive, unless the connection is lost. */
  isSubscribed(topic: string): boolean {
    return this.#subscribed.has(topic) && !this.#doubtful.has(topic)
  }

  /** Number of topics with work left to do. */
  get unsettled(): number {
    return this.#busy.size + this.#queued.size + this.#late.size
  }

  /** Called when a topic gets its first subscriber. */
  want(topic: string): void {
    this.#wanted.add(topic)
    if (!this.isSubscribed(topic)) this.#missing.add(topic)
    this.#settleInContext(topic)
  }

  /** Called when a topic has lost its last subscriber. */
  release(topic: string): void {
    this.#wanted.delete(topic)
    this.#missing.delete(topic)
    this.#settleInContext(topic)
  }

  /** Sends a message to the other nodes. Never rejects. */
  publish(topic: string, message: Message): Promise<HandedOver> {
    return this.#send(topic, () => this.#backplane.publish(topic, seal(message, this.#nodeId)))
  }

  /**
   * Tells the other nodes something about a topic.
   * @returns false if the backplane is down: then they are told when it is back
   */
  notify(topic: string, notice: Buffer): boolean {
    if (this.#isClosed || this.#health() === 'down') return false
    const send = (): unknown =>
      this.#send(topic, () => this.#backplane.publish(topic, sealNotice(notice, this.#nodeId)))
    this.#context.runInAsyncScope(send)
    return true
  }

  /** Sends a message to all nodes, this one too, and has it kept. Never rejects. */
  append(topic: string, message: Message, limits: KeptLimits, name?: string): Promise<HandedOver> {
    const backplane = this.#backplane as HistoryBackplane
    return this.#send(topic, () => backplane.append(topic, seal(message, this.#nodeId), limits, name))
  }

  async #send(topic: string, send: () => Promise<unknown>): Promise<HandedOver> {
    try {
      if (this.#isClosed) throw new TopicsError('TOPICS_CLOSED', 'These topics are closed.')
      const position = (await send()) as Position | undefined
      this.#counts.sent++
      return { isSent: true, offset: position?.offset }
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
    this.#queued.clear()
    this.#late.clear()
    try {
      await this.#backplane.close()
    } catch (error) {
      this.#tell(error, '')
    }
    this.#subscribed.clear()
  }

  #settleInContext(topic: string): void {
    this.#context.runInAsyncScope(() => this.#settle(topic))
  }

  /** Makes the backplane subscribe or unsubscribe as wanted, as soon as it can. */
  #settle(topic: string): void {
    if (this.#busy.has(topic) || this.#isClosed) return
    this.#late.delete(topic)
    this.#queued.delete(topic)
    if (this.#isSettled(topic)) return
    if (this.#health() === 'down') {
      this.#askLater(topic, 0)
    } else if (this.#busy.size >= mostAtWork) {
      this.#queued.add(topic)
    } else {
      this.#busy.add(topic)
      void this.#work(topic)
    }
  }

  /** Makes one request at a time, even if the topic becomes wanted or unwanted meanwhile. Never rejects. */
  async #work(topic: string): Promise<void> {
    try {
      while (!this.#isClosed && !this.#isSettled(topic) && this.#health() !== 'down') await this.#step(topic)
      if (!this.#isSettled(topic)) this.#askLater(topic, 0)
    } catch (error) {
      this.#tell(error, topic)
      this.#askLater(topic, performance.now() + retryMs)
    }
    this.#busy.delete(topic)
    for (const next of this.#queued) {
      if (this.#busy.size >= mostAtWork) break
      this.#settle(next)
    }
  }

  async #step(topic: string): Promise<void> {
    if (this.#wanted.has(topic)) {
      if (this.#doubtful.size >= mostDoubtful && !this.#doubtful.has(topic)) {
        throw new Error(`The backplane has failed to unsubscribe from ${this.#doubtful.size} topics.`)
      }
      await (this.#backplane as HistoryBackplane).subscribe(topic, this.#receive, this.#lost)
      this.#subscribed.add(topic)
      this.#doubtful.delete(topic)
      this.#missing.delete(topic)
      this.#lost(topic)
    } else {
      await this.#unsubscribe(topic)
    }
  }

  /** A topic that is wanted again meanwhile counts as missing afterwards, whether this succeeds or fails. */
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

  #isSettled(topic: string): boolean {
    return this.#wanted.has(topic) ? this.isSubscribed(topic) : !this.#subscribed.has(topic)
  }

  #askLater(topic: string, from: number): void {
    if (this.#isClosed) return
    this.#late.set(topic, from)
    this.#timer ??= setInterval(() => this.#askAgain(), lookMs).unref()
  }

  #askAgain(): void {
    if (this.#health() === 'down') return
    const now = performance.now()
    for (const [topic, from] of this.#late) {
      if (from > now) continue
      this.#settle(topic)
    }
    if (this.#late.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** Never throws into the backplane. */
  readonly #lost = (topic: string): void => {
    try {
      this.#context.runInAsyncScope(() => this.#listeners.lost(topic))
    } catch (error) {
      this.#tell(error, topic)
    }
  }

  /** Never throws into the backplane. */
  readonly #receive = (bytes: Buffer, topic: string, position?: Position): void => {
    try {
      this.#context.runInAsyncScope(this.#take, this, bytes, topic, position)
    } catch (error) {
      this.#tell(error, topic)
    }
  }

  #take(bytes: Buffer, topic: string, position: Position | undefined): void {
    if (this.#isClosed) return
    const message = open(bytes)
    if (message === undefined) {
      this.#takeNotice(position === undefined ? openNotice(bytes) : undefined, topic)
    } else if (position !== undefined || !message.nodeId.equals(this.#nodeId)) {
      this.#counts.received++
      this.#listeners.receive(topic, message, position)
    }
  }

  #takeNotice(opened: ReturnType<typeof openNotice>, topic: string): void {
    if (opened?.nodeId.equals(this.#nodeId)) return
    if (opened !== undefined && this.#listeners.notice(topic, opened.nodeId.toString('hex'), opened.notice)) {
      this.#counts.received++
    } else {
      this.#counts.foreign++
    }
  }

  /** Never throws: if the backplane's `health()` fails, it counts as down, and the error is reported once. */
  #health(): BackplaneHealth {
    try {
      const health: unknown = this.#backplane.health()
      if (!isHealth(health)) {
        // If it is a promise, this prevents an unhandled rejection.
        Promise.resolve(health).catch(() => {})
        throw expected('health', "'up', 'partial' or 'down'", health)
      }
      this.#isUnwell = false
      return health
    } catch (error) {
      const isTold = this.#isUnwell
      this.#isUnwell = true
      if (!isTold) this.#tell(error, '')
      return 'down'
    }
  }

  #tell(error: unknown, topic: string): void {
    tell('onBackplaneError', this.#listeners.onError, error, topic)
  }
}
