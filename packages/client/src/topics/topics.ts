import { unexpected } from '../check.ts'
import type { Asked } from '../options.ts'
import { addressOf } from './address.ts'
import { Desk } from './desk.ts'
import type { TopicsClientError } from './errors.ts'
import { type Gap, isPosition, type Position } from './feed.ts'
import { type PlaceStorage, Places, sessionStore } from './places.ts'
import type { Member } from './presence.ts'
import { joinTabs } from './tabs.ts'
import { checkWays, type OnState, openWays, type Transport, type WaysOptions } from './ways.ts'

/** Options of {@link connectTopics}. */
export interface TopicsOptions extends WaysOptions {
  /**
   * Keeps the place in each topic over a reload of the page: in `sessionStorage` with `true`, so for this tab, or in
   * another storage. What was received in the last tenth of a second before a crash is received again. By default `false`.
   */
  readonly persist?: boolean | PlaceStorage | undefined
  /**
   * Whether the tabs of this origin with the same URL use one connection, that of one of them, with what its `token`
   * returns. A string names which tabs belong together, for example the user. By default `false`. Without the
   * `navigator.locks` of browsers each tab has its own connection.
   */
  readonly share?: boolean | string | undefined
  /** How many messages may wait for their acknowledgement. By default 1,000; `Infinity` turns the limit off. */
  readonly maxPending?: number | undefined
}

/** Options of {@link Topics.subscribe}. */
export interface SubscribeOptions {
  /**
   * Where to begin: `'all'` with everything that the server keeps, or behind a message, given by the position that came
   * with it. By default with what is published from now on, or with `persist` where the page was.
   */
  readonly since?: 'all' | Position | undefined
  /** Called when messages are missing. */
  readonly onGap?: ((gap: Gap) => void) | undefined
  /** Called each time the subscription has begun, or goes on on another connection; undefined without history. */
  readonly onSubscribed?: ((position: Position | undefined) => void) | undefined
  /** Called when the server refuses the subscription, which ends it. By default the error is reported as uncaught. */
  readonly onError?: ((error: TopicsClientError) => void) | undefined
}

/** The state of {@link Topics}. */
export type TopicsState = Parameters<OnState>[0]

/** Topics of a server. Dispatches `statechange` when `state`, `transport` or `error` has changed. */
export class Topics extends EventTarget {
  readonly #desk: Desk
  readonly #places: Places | undefined
  readonly #end: () => void
  #state: TopicsState = 'connecting'
  #transport: Transport | undefined
  #error: Error | undefined

  /** Like {@link connectTopics}, and throws what it does. */
  constructor(url: Asked<string | URL>, options: TopicsOptions = {}) {
    super()
    const { persist, share, maxPending = 1_000, ...ways } = options
    checkWays(options)
    if (typeof url !== 'function') addressOf(url, 'http')
    const name = `oneport:${typeof url === 'function' ? '' : url}`
    const desk = new Desk(maxPending)
    this.#desk = desk
    const storage = persist === true ? sessionStore() : persist
    if (storage) this.#places = new Places(storage, name)
    const onState: OnState = (...given) => this.#turn(...given)
    const isShared = share && globalThis.navigator?.locks !== undefined
    const connect = (own: Desk, tell: OnState): (() => void) => openWays(own, url, name, ways, tell)
    this.#end = isShared ? joinTabs(`${name} ${share}`, desk, connect, onState) : connect(desk, onState)
    if (ways.signal?.aborted) this.close()
    ways.signal?.addEventListener('abort', () => this.close(), { once: true })
  }

  /** `'connecting'` also while the connection is lost; `'closed'` after `close()` or for good, see `error`. */
  get state(): TopicsState {
    return this.#state
  }

  /** What the topics go over; undefined while they are not open. */
  get transport(): Transport | undefined {
    return this.#transport
  }

  /** Why the topics are closed for good. */
  get error(): Error | undefined {
    return this.#error
  }

  /**
   * Subscribes to a topic. After a lost connection it goes on where it was: each message is received once and in order, or
   * `onGap` is told.
   * @param topic the topic: 1 to 256 characters, without control characters
   * @param onMessage called with each message, text as a string and a binary one as bytes, and its position; undefined in
   * a topic without history
   * @returns what ends the subscription
   * @throws TypeError if an argument is wrong, TopicsClientError if the topics are closed
   */
  subscribe(
    topic: string,
    onMessage: (data: string | Uint8Array, position: Position | undefined) => void,
    { since, onGap, onSubscribed, onError = report }: SubscribeOptions = {}
  ): () => void {
    if (typeof onMessage !== 'function') throw unexpected('onMessage: expected a function', onMessage)
    if (since !== undefined && since !== 'all' && !isPosition(since)) {
      throw unexpected("since: expected 'all' or { epoch, offset }", since)
    }
    const places = this.#places
    let isOver = false
    const call = <Given extends unknown[]>(
      listener: ((...given: Given) => void) | undefined,
      ...given: Given
    ): void => {
      if (!isOver && listener !== undefined) attempt(listener, ...given)
    }
    const leave = this.#desk.subscribe(topic, {
      place: since ?? places?.get(topic) ?? '-',
      onMessage(data, position) {
        call(onMessage, data, position)
        places?.set(topic, position)
      },
      onSubscribed(position) {
        call(onSubscribed, position)
        places?.set(topic, position)
      },
      onGap(gap) {
        call(onGap, gap)
        places?.set(topic, gap.to)
      },
      onError: (error) => call(onError, error)
    })
    return () => {
      isOver = true
      leave()
    }
  }

  /**
   * Publishes a message. It is sent again with the same ID after a lost connection, so it is published once.
   * @param topic the topic
   * @param data a string, or bytes
   * @returns a promise of its offset; undefined in a topic without history. It rejects with a {@link TopicsClientError}
   */
  async publish(topic: string, data: string | ArrayBuffer | ArrayBufferView): Promise<number | undefined> {
    return this.#desk.publish(topic, typeof data === 'string' ? data : copyOf(data))
  }

  /**
   * Tells who is subscribed to a topic, now and whenever that changes. It subscribes to the topic.
   * @param onChange called with all members by their ID
   * @returns what ends it
   * @throws TypeError or TopicsClientError as `subscribe`
   */
  presence(topic: string, onChange: (members: ReadonlyMap<string, Member>) => void): () => void {
    return this.#desk.watch(topic, (members) => attempt(onChange, members))
  }

  /** Ends all subscriptions and the connection. Messages that were not acknowledged are given up. */
  close(): void {
    this.#turn('closed')
  }

  #turn(state: TopicsState, transport?: Transport, error?: Error): void {
    if (this.#state === 'closed' || (state === this.#state && transport === this.#transport)) return
    this.#state = state
    this.#transport = transport
    this.#error = error
    if (state === 'closed') {
      this.#end()
      this.#desk.close()
      this.#places?.close()
    }
    this.dispatchEvent(new Event('statechange'))
  }
}

/** A copy, since the message may be sent later. @throws TypeError */
function copyOf(data: ArrayBuffer | ArrayBufferView): Uint8Array<ArrayBuffer> {
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice()
  if (data instanceof ArrayBuffer) return new Uint8Array(data.slice(0))
  throw unexpected('data: expected a string, an ArrayBuffer or a view of one', data)
}

/** A listener that throws must not disturb the others. */
function attempt<Given extends unknown[]>(listener: (...given: Given) => void, ...given: Given): void {
  try {
    listener(...given)
  } catch (error) {
    report(error)
  }
}

/** As an error of a listener of events. */
function report(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}

/**
 * Connects to the topics of a server, over a WebSocket, or over plain HTTP while no WebSocket works.
 * @param url the URL, with `ws:`, `wss:`, `http:` or `https:`, or relative to the page; or a function that returns it
 * @throws TypeError if the URL or an option is wrong
 */
export const connectTopics = (url: Asked<string | URL>, options?: TopicsOptions): Topics => new Topics(url, options)
