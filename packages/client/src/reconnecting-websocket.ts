import { backoff } from './backoff.ts'
import { checkNumbers } from './check.ts'
import { adviceFor } from './close-code.ts'
import { diagnose } from './diagnose.ts'
import {
  type ConnectionError,
  type ConnectionErrorEvent,
  type ConnectionState,
  defineHandlers,
  type EventHandler,
  emit,
  TypedEventTarget
} from './events.ts'
import { isOffline, watchNetwork } from './network.ts'
import type { Asked, HeartbeatOptions, ReconnectingWebSocketOptions, SocketData } from './options.ts'

type Closing = Pick<CloseEvent, 'code' | 'reason' | 'wasClean'>

/** A connection that ended without a closing handshake. */
const abnormal: Closing = { code: 1006, reason: '', wasClean: false }

/** How long a page that was frozen takes, at most, to be told the messages that have waited, in milliseconds. */
const settleMs = 250

/**
 * A WebSocket that comes back: it has the interface of `WebSocket`, and connects again when its connection is lost.
 *
 * `readyState` is `CONNECTING` while there is no connection and `CLOSED` once it is over. There is an `open` event for
 * each connection, and a `close` event for each one that is lost and at the end.
 */
export class ReconnectingWebSocket extends TypedEventTarget {
  /** There is no connection yet, or none at this moment. */
  static get CONNECTING(): 0 {
    return 0
  }
  /** There is a connection. */
  static get OPEN(): 1 {
    return 1
  }
  /** `close()` was called, and the server has not answered yet. */
  static get CLOSING(): 2 {
    return 2
  }
  /** It is over. */
  static get CLOSED(): 3 {
    return 3
  }
  /** As the static one. */
  get CONNECTING(): 0 {
    return 0
  }
  /** As the static one. */
  get OPEN(): 1 {
    return 1
  }
  /** As the static one. */
  get CLOSING(): 2 {
    return 2
  }
  /** As the static one. */
  get CLOSED(): 3 {
    return 3
  }

  /** Called with each `open` event; `null` if it is not set. */
  declare onopen: EventHandler<'open'> | null
  /** Called with each `message` event; `null` if it is not set. */
  declare onmessage: EventHandler<'message'> | null
  /** Called with each `close` event; `null` if it is not set. */
  declare onclose: EventHandler<'close'> | null
  /** Called with each `error` event; `null` if it is not set. It has what `WebSocket` promises, and usually more. */
  declare onerror: ((event: Event & Partial<ConnectionErrorEvent>) => void) | null
  /** Called with each `statechange` event; `null` if it is not set. */
  declare onstatechange: EventHandler<'statechange'> | null

  /** What a user interface shows. An event `statechange` tells when it changes. */
  readonly state: ConnectionState = 'connecting'
  /** How many attempts have failed since a connection lasted for `stableMs`. */
  readonly attempt: number = 0
  /** When the next attempt is made, in milliseconds since 1970, while the state is `waiting`. */
  declare readonly nextAttempt: number | undefined
  /** Why there is no connection, if something went wrong. */
  declare readonly error: ConnectionError | undefined

  readonly #url: Asked<string | URL>
  readonly #protocols: Asked<string | string[]>
  readonly #options: ReconnectingWebSocketOptions
  #readyState: 0 | 1 | 2 | 3 = 0
  #binaryType: 'blob' | 'arraybuffer' = 'blob'
  /** The connection, or the last one. */
  #socket: WebSocket | undefined
  /** Aborted when the attempt, or the connection that it led to, ends. */
  #attempt = new AbortController()
  /** Aborted at the end. */
  #life = new AbortController()
  /** For the end of an attempt, for the heartbeat, or for the next attempt. */
  #timer: ReturnType<typeof setTimeout> | undefined
  /** Whether something has arrived since the timer was set. */
  #hasHeard = false
  #openedAt = 0
  /** Whether the server has refused the last token. */
  #isRefused = false
  /** The status that the last failed handshake led to. */
  #status: number | undefined
  #queue: SocketData[] = []
  #queuedBytes = 0

  /**
   * Connects.
   *
   * @param url where to. A function is asked before each attempt
   * @param protocols the subprotocols to offer, also as a function
   * @param options what differs from the defaults
   * @throws SyntaxError if the URL or a subprotocol is not valid, as `WebSocket` does
   * @throws TypeError if a time or a count among the options is not a number from 0
   */
  constructor(
    url: Asked<string | URL>,
    protocols: Asked<string | string[]> = [],
    options: ReconnectingWebSocketOptions = {}
  ) {
    super()
    this.#url = url
    this.#protocols = protocols
    this.#options = options
    checkNumbers({ ...options, ...options.heartbeat, ...options.queue })
    defineHandlers(this)
    if (options.signal?.aborted) this.close()
    else {
      this.#connect(true)
      this.#listen()
    }
  }

  /** `CONNECTING`, `OPEN`, `CLOSING` or `CLOSED`. */
  get readyState(): 0 | 1 | 2 | 3 {
    return this.#readyState
  }

  /** The address of the connection; '' while a function is asked for the first one. */
  get url(): string {
    return this.#socket?.url ?? ''
  }

  /** The subprotocol that the server has chosen, or ''. */
  get protocol(): string {
    return this.#socket?.protocol ?? ''
  }

  /** The extensions that the server has chosen, or ''. */
  get extensions(): string {
    return this.#socket?.extensions ?? ''
  }

  /** How many bytes are waiting to be sent, those in the queue included. */
  get bufferedAmount(): number {
    return this.#queuedBytes + ((this.#readyState && this.#socket?.bufferedAmount) || 0)
  }

  /** How binary messages arrive. */
  get binaryType(): 'blob' | 'arraybuffer' {
    return this.#binaryType
  }

  /** Sets it, also for later connections. */
  set binaryType(type: 'blob' | 'arraybuffer') {
    if (type !== 'blob' && type !== 'arraybuffer') return
    this.#binaryType = type
    if (this.#socket) this.#socket.binaryType = type
  }

  /**
   * Sends a message. A message that was handed to a connection is never sent again.
   *
   * @throws InvalidStateError while there is no connection, unless the option `queue` has room; after the end, nothing
   *   happens, as with `WebSocket`
   */
  send(data: SocketData): void {
    if (this.#readyState) this.#socket?.send(data as string)
    else {
      const { messages = 100, bytes = 1_048_576 } = this.#options.queue ?? { messages: 0 }
      const isText = typeof data === 'string'
      const total = this.#queuedBytes + (isText ? new Blob([data]).size : 'size' in data ? data.size : data.byteLength)
      if (this.#queue.length >= messages || total > bytes) {
        // React Native has no DOMException.
        throw new (globalThis.DOMException ?? Error)('Not connected', 'InvalidStateError' as never)
      }
      // The caller may change a buffer afterwards.
      this.#queue.push(isText ? data : structuredClone(data))
      this.#queuedBytes = total
    }
  }

  /**
   * Closes the socket for good. It checks its arguments as the `WebSocket` of the platform does.
   *
   * @param code 1000, or 3000 to 4999
   * @param reason at most 123 bytes
   * @throws InvalidAccessError if the code is another one
   * @throws SyntaxError if the reason is longer
   */
  close(code?: number, reason?: string): void {
    const isConnected = this.#socket && this.#socket.readyState < 2
    this.#socket?.close(code, reason)
    if (this.#readyState > 1) return
    this.#readyState = 2
    clearTimeout(this.#timer)
    if (!isConnected) {
      this.#attempt.abort()
      queueMicrotask(() => this.#readyState === 2 && this.#lost(abnormal))
    }
  }

  /** Drops the connection, if there is one, and connects now: also after the end, unless `signal` is aborted. */
  reconnect(): void {
    const before = this.#readyState
    if (this.#options.signal?.aborted) return
    if (before === 3) this.#listen()
    this.#readyState = 0
    this.#isRefused = false
    Object.assign(this, { attempt: 0 })
    this.#retry()
    if (before === 1 || before === 2) emit(this, 'close', abnormal)
  }

  /** @param mayThrow what the class of WebSockets throws is a mistake in the first call, and a failed attempt later */
  #connect(mayThrow?: boolean): void {
    const { connectTimeoutMs = 10_000, token } = this.#options
    this.#drop()
    this.#attempt = new AbortController()
    const { signal } = this.#attempt
    const asked = [this.#url, this.#protocols, token]
    if (mayThrow && !asked.some((each) => typeof each === 'function')) this.#open(asked as Values, signal)
    else {
      const attempt = { attempt: this.attempt, refused: this.#isRefused, signal }
      Promise.all(asked.map(async (each) => (typeof each === 'function' ? each(attempt) : each)))
        .then((values) => signal.aborted || this.#open(values as Values, signal))
        .catch((error) => signal.aborted || this.#lost(abnormal, error))
    }
    this.#after(connectTimeoutMs, () => this.#lost(abnormal, new Error('Timed out')))
  }

  #open([url, protocols, token]: Values, signal: AbortSignal): void {
    const { bearerSubprotocol = 'bearer.', fetch = globalThis.fetch, maxRetries, webSocket } = this.#options
    const WebSocketClass = (webSocket ?? globalThis.WebSocket) as typeof WebSocket
    if (!WebSocketClass) throw new Error('No WebSocket: set options.webSocket')
    const socket = new WebSocketClass(`${url}`, token ? [protocols, bearerSubprotocol + token].flat() : protocols)
    let failure: ConnectionError | undefined
    this.#socket = socket
    socket.binaryType = this.#binaryType
    socket.onopen = () => {
      if (signal.aborted || this.#readyState) return
      this.#readyState = 1
      this.#openedAt = Date.now()
      clearTimeout(this.#timer)
      this.#rest()
      for (const data of this.#queue) socket.send(data as string)
      this.#empty()
      this.#setState('open')
      emit(this, 'open')
    }
    socket.onmessage = ({ data, origin }) => {
      if (signal.aborted || this.#readyState !== 1) return
      this.#hasHeard = true
      emit(this, 'message', { data, origin })
    }
    socket.onerror = (event) => {
      failure = (event as ErrorEvent).error ?? new Error('Connection failed')
    }
    socket.onclose = async ({ code, reason, wasClean }) => {
      const mayAsk = !signal.aborted && !this.#readyState && fetch && maxRetries !== 0
      const status = mayAsk ? await diagnose(fetch, socket.url, token, signal) : undefined
      // Deno says 0 if there was none.
      if (!signal.aborted) this.#lost({ code: code || 1006, reason, wasClean }, failure, status)
    }
  }

  /** Ends the attempt or the connection, and decides what comes next. */
  #lost(closing: Closing, error?: ConnectionError, status?: number, isAway = isOffline()): void {
    const {
      maxDelayMs = 30_000,
      maxRetries = Infinity,
      minDelayMs = 500,
      spreadMs = 3_000,
      stableMs = 5_000,
      token
    } = this.#options
    const before = this.#readyState
    const code = status ?? closing.code
    const advice = adviceFor(code, this.#status, !!this.#openedAt)
    const isRefused = advice === 'token'
    let attempt = before && Date.now() - this.#openedAt >= stableMs ? 0 : this.attempt
    let isOver = before > 1 || advice === 'end' || (attempt >= maxRetries && !(isAway && maxRetries))
    const isFinal = advice === 'stop' || (isRefused && (this.#isRefused || typeof token !== 'function'))
    if (isFinal && before < 2 && maxRetries) {
      isOver = true
      error = Object.assign(new Error(`${status ? 'Refused' : 'Closed'}: ${code} ${closing.reason}`.trim()), { code })
    }
    if (before || isRefused) this.#isRefused = isRefused
    this.#status = status
    this.#drop()
    if (isOver) {
      this.#readyState = 3
      this.#life.abort()
      this.#empty()
      this.#setState('closed', error)
    } else {
      if (!isAway) attempt++
      const delayMs = isAway
        ? maxDelayMs
        : backoff(attempt, minDelayMs, maxDelayMs) + (advice === 'spread' ? Math.random() * spreadMs : 0)
      this.#readyState = 0
      Object.assign(this, { attempt })
      this.#after(delayMs, () => this.#retry())
      this.#setState('waiting', error, Date.now() + delayMs)
    }
    if (error) emit(this, 'error', { error, message: error.message })
    if (before || isOver) emit(this, 'close', closing)
  }

  #retry(): void {
    this.#connect()
    this.#setState('connecting', this.error)
  }

  /** Leaves the connection, and whatever else is on its way. */
  #drop(): void {
    this.#attempt.abort()
    clearTimeout(this.#timer)
    if (this.#socket && this.#socket.readyState < 2) this.#socket.close()
  }

  /** Waits for silence, and then pings. */
  #rest(): void {
    const { heartbeat } = this.#options
    if (heartbeat) this.#expect(heartbeat.intervalMs ?? 25_000, () => this.#check(heartbeat))
  }

  /** Pings now. */
  #check({ ping, timeoutMs = 10_000 }: HeartbeatOptions): void {
    this.#expect(timeoutMs, () => this.#lost(abnormal, new Error('No heartbeat')))
    const data = typeof ping === 'function' ? ping() : ping
    if (data) this.#socket?.send(data as string)
  }

  #expect(ms: number, onSilence: () => void): void {
    this.#hasHeard = false
    this.#after(ms, () => (this.#hasHeard ? this.#rest() : onSilence()))
  }

  /** Sets the timer. A longer time than the longest that timers have would end at once. */
  #after(ms: number, call: () => void): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(call, Math.min(ms, 2 ** 31 - 1))
  }

  #listen(): void {
    this.#life = new AbortController()
    const { signal } = this.#life
    const { heartbeat } = this.#options
    watchNetwork(({ type }) => {
      if (type === 'pagehide') {
        // A page with an open connection cannot be kept for the way back.
        if (this.#readyState < 2) this.#lost(abnormal, undefined, undefined, true)
      } else if (type === 'visibilitychange' && document.hidden) return
      else if (this.state === 'waiting') this.#retry()
      // The connection may have died while nobody looked. What has arrived before is told first, and is no answer.
      else if (heartbeat && this.#readyState === 1) this.#after(settleMs, () => this.#check(heartbeat))
    }, signal)
    this.#options.signal?.addEventListener('abort', () => this.close(), { signal })
  }

  #empty(): void {
    this.#queue = []
    this.#queuedBytes = 0
  }

  #setState(state: ConnectionState, error?: ConnectionError, nextAttempt?: number): void {
    const fields = { state, attempt: this.attempt, nextAttempt, error }
    Object.assign(this, fields)
    emit(this, 'statechange', fields)
  }
}

type Values = [url: string | URL, protocols: string | string[], token: string | undefined]
