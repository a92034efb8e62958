import { AsyncResource } from 'node:async_hooks'
import type { Socket } from 'node:net'
import type { Duplex, Writable } from 'node:stream'
import { CloseCode } from '../close-code.ts'
import { writesWaiting } from '../node.ts'
import type { ConnectionOptions } from '../options/endpoint.ts'
import { answersPings } from '../options/ws.ts'
import type { ConnectionSummary, RequestFacts } from '../reports/facts.ts'
import { type FaultPhase, type FaultReporter, isThenable } from '../reports/fault.ts'
import type { EndedConnection, Stats } from '../reports/stats.ts'
import { type ResolvedCredential, unauthorizedCode } from '../rules/credential.ts'
import type { WebSocket } from '../websocket.ts'
import { bytesPerWrite } from './backlog.ts'
import { type Spending, spend } from './budget.ts'
import type { Deadlines } from './deadlines.ts'
import type { Expiring } from './expiry.ts'
import type { Beating } from './heartbeat.ts'
import { HeldMessages } from './held-messages.ts'
import { occupy, shield } from './raw-prototype.ts'
import { parse, type Reader, readThrough } from './reading.ts'
import { hasReceivedClose, queuedInSender, receiverOf } from './ws.ts'

/** What a connection needs from its attachment. */
export interface Home {
  readonly report: FaultReporter
  readonly stats: Stats
  /** Connections whose messages wait for a listener. */
  readonly holding: Deadlines
  /** Called for each pong. */
  pong(connection: Connection): void
  /** Called when the connection has ended. Not a `close` listener, because the application may remove all listeners. */
  remove(connection: Connection, code: number): void
  /** Sets the time at which the connection's credential expires, in milliseconds since 1970. */
  renew(connection: Connection, expiresAt: number): void
}

/** What was agreed about a connection. */
export interface Terms {
  readonly endpoint: { readonly connection: ConnectionOptions }
  /** The address that it counts for; undefined if addresses are not counted. */
  readonly place: string | undefined
  /** Whose connection it is, and for how long. */
  readonly credential: ResolvedCredential | undefined
  readonly requestId: string | undefined
}

type RawSocket = Duplex & Partial<Pick<Socket, 'bytesRead' | 'bytesWritten' | 'remoteAddress'>>

/** Bytes to parse at a time while there is no listener: compressed data can become a thousand times as large. */
const sliceBytes = 1_024

/** Received bytes that are not parsed yet. */
interface Unread {
  bytes: Buffer
  /** Whether `ws` waits for the receiver's `drain`. */
  isStopped: boolean
}

const openState = 1

/** Nothing listens for the destruction of a connection's context, and watching for it would cost a finalizer. */
const contextOptions = { requireManualDestroy: true }

/** If more than this waits for a client, its next bytes are read in the next turn of the event loop. */
const muchBytes = 65_536

/** The path of the last connection. Those with the same path share one string. */
let lastPath = ''

/** The connection whose bytes are being read, if any. */
let reading: Connection | undefined

/**
 * Our record of one connection. It is separate from the socket, which belongs to the application, and keeps only a few
 * facts of the request.
 */
export class Connection implements Beating, Expiring, EndedConnection, Reader {
  readonly socket: WebSocket
  readonly place: string | undefined
  readonly credential: ResolvedCredential | undefined
  /** Listeners run in the async context of the handler, so they see the `AsyncLocalStorage` of the request. */
  readonly context = new AsyncResource('ONEPORT', contextOptions)
  slotOfBeat: number | undefined
  placeInSlot = 0
  bytesAtLook = 0
  restsAtLook = false
  readonly #home: Home
  readonly #rawSocket: RawSocket
  readonly #options: ConnectionOptions
  readonly #requestId: string | undefined
  readonly #path: string
  /** Whole milliseconds: V8 stores a small integer without allocating. */
  readonly #openedAt = Math.round(performance.now())
  #initiator: ConnectionSummary['initiator'] = 'network'
  /** What is no longer delivered. */
  #withheld: 'nothing' | 'messages' | 'everything' = 'nothing'
  /**
   * Messages wait for a listener while the handler runs: it has taken no message yet (`works`), or takes one after the
   * other (`takes`). After that, messages without a listener are dropped, as in `ws`.
   */
  #handler: 'works' | 'takes' | 'is done' = 'works'
  /** Messages that have had no listener yet; undefined if there are none. */
  #held: HeldMessages | undefined
  /** Received bytes that are parsed only once there is a listener. */
  #unread: Unread | undefined
  /** What is spent of the message budget; undefined if there is none. */
  #spending: Spending | undefined
  /** The number of waiting writes when last seen, and how many of them the operating system got together. */
  #writesSeen = 0
  #writesInFlight = 0

  /** @param path that of the request */
  constructor(socket: WebSocket, home: Home, rawSocket: Duplex, path: string, terms: Terms) {
    this.socket = socket
    this.place = terms.place
    this.credential = terms.credential
    this.#home = home
    this.#rawSocket = rawSocket
    this.#options = terms.endpoint.connection
    this.#requestId = terms.requestId
    if (path !== lastPath) lastPath = path
    this.#path = lastPath
    occupy(rawSocket)
    readThrough(receiverOf(socket), this)
  }

  /**
   * Lets messages wait for a listener while the handler runs.
   * @param result what the handler returned
   */
  follow(result: unknown): void {
    if (isThenable(result)) this.#waitFor(result)
    else this.releaseMessages()
  }

  #waitFor(handler: PromiseLike<unknown>): void {
    handler.then(
      () => this.releaseMessages(),
      (error) => this.fail(error, 'handler')
    )
  }

  get isOpen(): boolean {
    return this.socket.readyState === openState
  }

  /** Whether received bytes are being read right now, in the handler's async context. */
  get isReading(): boolean {
    return reading === this
  }

  /** Keeps the raw socket from being destroyed by the code that is running now. */
  shield(): void {
    shield(this.#rawSocket, () => this.isOpen)
  }

  get bytesRead(): number {
    return this.#rawSocket.bytesRead ?? 0
  }

  /** Whether nothing can be received because reading is paused. */
  get isPaused(): boolean {
    return this.socket.isPaused || this.#unread !== undefined
  }

  /** What we keep of the handshake's request. */
  get request(): RequestFacts {
    return { id: this.#requestId, path: this.#path, address: this.#rawSocket.remoteAddress }
  }

  summarize(code: number): ConnectionSummary {
    return {
      code,
      initiator: this.#initiator,
      durationMs: Math.max(0, performance.now() - this.#openedAt),
      bytesIn: this.bytesRead,
      bytesOut: this.#rawSocket.bytesWritten ?? 0,
      request: this.request
    }
  }

  // The methods of the class, because the application may have replaced those of the socket.

  close(code: number, reason?: string): void {
    this.#class.close.call(this.socket, code, reason)
  }

  terminate(): void {
    this.#class.terminate.call(this.socket)
  }

  ping(): void {
    this.#class.ping.call(this.socket)
  }

  get #class(): WebSocket {
    return Object.getPrototypeOf(this.socket) as WebSocket
  }

  /** Terminates a connection whose client has not answered the heartbeat. */
  expire(): void {
    this.#home.stats.terminated(this.socket, 'heartbeat')
    this.terminate()
  }

  /** Closes a connection, and delivers no more of its messages. */
  expel(code: number, reason?: string): void {
    if (this.#withheld === 'nothing') this.#withheld = 'messages'
    this.close(code, reason)
  }

  /** Called when its credential has expired. */
  expireCredential(): void {
    this.expel(this.credential?.expiryCode ?? unauthorizedCode, 'credential expired')
  }

  /** @returns false if the connection is already closing */
  renewUntil(expiresAt: number): boolean {
    if (!this.isOpen) return false
    this.#home.renew(this, expiresAt)
    return true
  }

  /** Reports the first fault of the connection and closes it with 1011. Nothing more is delivered. */
  fail(error: unknown, phase: FaultPhase): void {
    const isFirst = this.#withheld !== 'everything'
    this.#withheld = 'everything'
    if (isFirst) this.#home.report(error, { phase, request: this.request, socket: this.socket })
    this.expel(CloseCode.INTERNAL_ERROR)
  }

  /** Decides whether to emit an event now. */
  passes(event: string | symbol, args: unknown[]): boolean {
    switch (event) {
      case 'close':
        return this.#end(args)
      case 'message':
        if (this.#held?.isDelivering) return true
        if (this.#withheld !== 'nothing' || !this.#isAffordable() || (this.#mustWait() && this.#hold(args)))
          return false
        if (this.#handler === 'works') this.#handler = 'takes'
        return true
      case 'ping':
        return this.#isAffordable() && this.#answer(args[0])
      case 'pong':
        this.#home.pong(this)
        return this.#withheld !== 'everything'
      case 'error':
        return this.#withheld !== 'everything' && this.#isHeard(args[0])
      default:
        return true
    }
  }

  /** Whether there is an `error` listener. If not, reports the error; `ws` has sent the right close frame. */
  #isHeard(error: unknown): boolean {
    if (this.socket.listenerCount('error') > 0) return true
    if (this.isOpen) {
      // Not from `ws`, which closes first: emitted by the application, or by Node for a promise whose `then` throws.
      this.fail(error, 'listener')
      return false
    }
    this.#withheld = 'everything'
    this.#home.report(error, { phase: 'protocol', request: this.request, socket: this.socket })
    return false
  }

  /** Answers a ping (RFC 6455 §5.5.2). `maxBufferedBytes` counts pongs too. */
  #answer(data: unknown): true {
    if (this.isOpen && answersPings(this.#options.ws)) this.#class.pong.call(this.socket, data as Buffer)
    return true
  }

  #isAffordable(): boolean {
    if (this.#withheld === 'everything') return false
    const { messageBudget } = this.#options
    if (messageBudget === undefined) return true
    this.#spending ??= { windowFrom: -Infinity, spent: 0 }
    if (spend(this.#spending, messageBudget)) return true
    this.#home.stats.terminated(this.socket, 'budget')
    this.#withheld = 'everything'
    this.expel(CloseCode.POLICY_VIOLATION, 'too many messages')
    return false
  }

  /** @returns whether to emit `close` now: a handler that takes one message after the other gets all of them first */
  #end(args: unknown[]): boolean {
    const held = this.#held
    const waits = held !== undefined && this.#handler === 'takes' && this.#withheld === 'nothing'
    if (waits) {
      held.closing = args
    } else {
      this.#handler = 'is done'
      this.#deliverHeld()
    }
    this.leave(args[0] as number)
    return !waits
  }

  /** Removes the connection, with or without a `close` event. Calling it again does nothing. */
  leave(code: number): void {
    this.context.runInAsyncScope(this.#home.remove, this.#home, this, code)
  }

  /** Called before each `close()` and `terminate()`. */
  noteClose(): void {
    if (this.isOpen) this.#initiator = hasReceivedClose(this.socket) ? 'client' : 'server'
  }

  /**
   * Called after `close()`. The client's close frame follows the messages that are held back, unless it has already
   * arrived.
   */
  afterClose(): void {
    if (!hasReceivedClose(this.socket)) this.releaseMessages()
  }

  /** Called after each write. Closes the connection if the client does not read. */
  checkBacklog(): void {
    const { maxBufferedBytes } = this.#options
    if (maxBufferedBytes === Infinity || this.#backlog() <= maxBufferedBytes || !this.isOpen) return
    if (this.isReading && this.#options.coalesce) {
      // Data that we hold back until the chunk is parsed says nothing about the client.
      this.#rawSocket.uncork()
      this.#rawSocket.cork()
      if (this.#backlog() <= maxBufferedBytes) return
    }
    this.#home.stats.terminated(this.socket, 'backpressure')
    this.close(CloseCode.TRY_AGAIN_LATER, 'too much unread')
  }

  /**
   * The memory that waits for a client, in bytes: the data itself, and what it costs to keep it. A million messages of
   * one byte are 3 MB on the wire and 400 MB of memory.
   */
  #backlog(): number {
    const { bufferedAmount } = this.socket
    if (bufferedAmount === 0) {
      this.#writesSeen = 0
      this.#writesInFlight = 0
      return 0
    }
    const writes = writesWaiting(this.#rawSocket)
    // Node passes all waiting writes to the operating system together, and keeps them until that has taken them.
    if (writes < this.#writesSeen) this.#writesInFlight = this.#writesSeen
    this.#writesSeen = writes
    return bufferedAmount + bytesPerWrite * (writes + this.#writesInFlight + 2 * queuedInSender(this.socket))
  }

  /** Reads a chunk of received bytes. Listeners for its messages run in the handler's async context. */
  read(chunk: Buffer): boolean {
    const unread = this.#unread
    if (unread === undefined && !this.#mustWait()) return this.#parse(chunk) && !this.#yields()
    if (unread === undefined) this.#unread = { bytes: chunk, isStopped: false }
    else unread.bytes = Buffer.concat([unread.bytes, chunk])
    this.#readOn()
    if (this.#unread === undefined) return true
    this.#unread.isStopped = true
    return false
  }

  /**
   * Leaves the next chunk to the next turn of the event loop if much data waits for the client. Node reads up to 2 MB
   * of one connection per turn, and TLS writes in the next turn: without this, a client that reads would look like one
   * that does not.
   */
  #yields(): boolean {
    if (this.#backlog() <= muchBytes) return false
    setImmediate(readOn, receiverOf(this.socket))
    return true
  }

  /** The connection has ended: parses the remaining bytes, unless too many messages already wait for a listener. */
  finish(): void {
    const unread = this.#unread
    this.#unread = undefined
    if (unread !== undefined && !(this.#held?.isFull && this.#mustWait())) this.#parse(unread.bytes)
  }

  /** Parses bytes that were held back. Without a listener: in small pieces, until too many messages wait. */
  #readOn(): void {
    const unread = this.#unread
    if (unread === undefined) return
    const receiver = receiverOf(this.socket)
    while (unread.bytes.length > 0 && !receiver.destroyed) {
      if (this.#held?.isFull && this.#mustWait()) return
      const length = this.#mustWait() ? sliceBytes : unread.bytes.length
      const slice = unread.bytes.subarray(0, length)
      unread.bytes = unread.bytes.subarray(length)
      this.#parse(slice, () => this.#readOn())
      // A compressed message is inflated asynchronously.
      if (receiver.writableLength > 0) return
    }
    this.#unread = undefined
    if (unread.isStopped) receiver.emit('drain')
  }

  #parse(chunk: Buffer, done?: () => void): boolean {
    return this.context.runInAsyncScope(this.#parseInContext, this, chunk, done)
  }

  /**
   * Holds back what listeners send until the chunk is parsed, so that the answers to all its messages take one system
   * call; `ws` makes one per message.
   */
  #parseInContext(chunk: Buffer, done?: () => void): boolean {
    const rawSocket = this.#options.coalesce ? this.#rawSocket : undefined
    rawSocket?.cork()
    const outer = reading
    reading = this
    try {
      return parse(receiverOf(this.socket), chunk, done)
    } finally {
      reading = outer
      rawSocket?.uncork()
    }
  }

  /** Stops holding messages back: the handler is done. */
  releaseMessages(): void {
    this.#handler = 'is done'
    this.#deliverSoon()
  }

  /** Whether a message has to wait: for a listener, or for earlier messages. */
  #mustWait(): boolean {
    return this.#held !== undefined || (this.#handler !== 'is done' && this.socket.listenerCount('message') === 0)
  }

  #hold(args: unknown[]): true {
    if (this.#held === undefined) {
      this.#held = new HeldMessages(() => this.releaseMessages())
      this.#home.holding.add(this.#held, performance.now())
      this.#held.onNewListener = (event) => {
        if (event === 'message') this.#deliverSoon()
      }
      this.socket.on('newListener', this.#held.onNewListener)
    }
    this.#held.add(args)
    return true
  }

  /** Called when the application has removed all listeners: ours is gone too. */
  listenAgain(): void {
    if (this.#held === undefined) return
    this.socket.off('newListener', this.#held.onNewListener)
    this.socket.on('newListener', this.#held.onNewListener)
  }

  /**
   * Delivers on the next tick, so that a listener that is being added gets the messages, in order, before newer ones.
   */
  #deliverSoon(): void {
    if (this.#held !== undefined) process.nextTick(() => this.#deliverHeld())
  }

  /**
   * Delivers messages while there is a listener: a `once` listener gets one, and leaves the rest to the next listener.
   */
  #deliverHeld(): void {
    const held = this.#held
    if (held === undefined || held.isDelivering) return
    held.isDelivering = true
    while (this.#withheld === 'nothing' && (this.#handler === 'is done' || this.socket.listenerCount('message') > 0)) {
      const args = held.take()
      if (args === undefined) break
      // A handler that takes one message after the other gets all of them, at its own pace.
      if (this.#handler === 'works') this.#handler = 'takes'
      this.#home.holding.delete(held)
      this.#home.holding.add(held, performance.now())
      this.#emit('message', args)
    }
    held.isDelivering = false
    if (held.isEmpty || this.#withheld !== 'nothing') this.#forgetHeld(held)
    this.#readOn()
  }

  #forgetHeld(held: HeldMessages): void {
    this.#held = undefined
    this.#home.holding.delete(held)
    this.socket.off('newListener', held.onNewListener)
    const { closing } = held
    // Later, so that code which awaits the last message runs first.
    if (closing !== undefined) setImmediate(() => this.#emit('close', closing))
  }

  /** Emits through the socket's own method, which the application may have replaced. */
  #emit(event: 'message' | 'close', args: unknown[]): void {
    try {
      this.socket.emit(event, ...args)
    } catch (error) {
      this.fail(error, 'listener')
    }
  }
}

function readOn(receiver: Writable): void {
  receiver.emit('drain')
}
