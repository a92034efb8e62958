import { AsyncResource } from 'node:async_hooks'
import type { Socket } from 'node:net'
import type { Duplex, Writable } from 'node:stream'
import { CloseCode } from '../close-code.ts'
import { writesWaiting } from '../node.ts'
import type { ConnectionOptions } from '../options/endpoint.ts'
import { type Occupant, occupy } from '../raw-methods.ts'
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
import { parse, type Reader, readThrough } from './reading.ts'
import { hasReceivedClose, queuedInSender, receiverOf } from './ws.ts'

/** What a connection needs of the attachment that it belongs to. */
export interface Home {
  readonly report: FaultReporter
  readonly stats: Stats
  /** Connections whose messages wait for a listener. */
  readonly holding: Deadlines
  /** Is told of pongs. */
  pong(connection: Connection): void
  /** Is told of the end. Not by a listener: the application may remove them all. */
  remove(connection: Connection, code: number): void
  /** Sets the time at which the connection's credential ends. */
  renew(connection: Connection, expiresAt: number): void
}

/** What a connection begins with. */
export interface Beginning {
  readonly rawSocket: Duplex
  readonly options: ConnectionOptions
  /** The address under which it counts; undefined where addresses are not counted. */
  readonly place: string | undefined
  /** Whose it is, and for how long. */
  readonly credential: ResolvedCredential | undefined
  readonly requestId: string | undefined
  readonly path: string
}

type RawSocket = Duplex & Partial<Pick<Socket, 'bytesRead' | 'bytesWritten' | 'remoteAddress'>>

/** Bytes of a chunk that are parsed at a time while nobody listens: compressed ones can become a thousand times as many. */
const sliceBytes = 1_024

/** Bytes that wait to be parsed. */
interface Unread {
  bytes: Buffer
  /** Whether `ws` waits for the receiver's `drain`. */
  isStopped: boolean
}

const openState = 1

/** What waits for a client, above which its next bytes are read a turn later. */
const muchBytes = 65_536

/** The connection whose bytes are being read, and the one that is shielded: of each there is one at a time. */
let reading: Connection | undefined
let shielded: Connection | undefined

/**
 * Our record of one connection. It stands beside the socket, on which nothing is ours, and keeps nothing of the request
 * but a few facts.
 */
export class Connection implements Beating, Expiring, EndedConnection, Occupant, Reader {
  readonly socket: WebSocket
  readonly place: string | undefined
  readonly credential: ResolvedCredential | undefined
  /** Listeners run in the context of the handler that attached them: its AsyncLocalStorage is the request's. */
  readonly context = new AsyncResource('ONEPORT', { requireManualDestroy: true })
  slotOfBeat: number | undefined
  placeInSlot = 0
  bytesAtLook = 0
  restsAtLook = false
  readonly #home: Home
  readonly #rawSocket: RawSocket
  readonly #options: ConnectionOptions
  readonly #requestId: string | undefined
  readonly #path: string
  /** In whole milliseconds, which take no memory of their own. */
  readonly #openedAt = Math.round(performance.now())
  #initiator: ConnectionSummary['initiator'] = 'network'
  /** What of the peer is delivered no more. */
  #withheld: 'nothing' | 'messages' | 'everything' = 'nothing'
  /**
   * Messages wait for a listener as long as the handler is at work: it has taken none yet, or takes one after the other.
   * Then they go by where nobody listens, as in `ws`.
   */
  #handler: 'works' | 'takes' | 'is done' = 'works'
  /** Messages that nobody has listened for yet; undefined where there are none. */
  #held: HeldMessages | undefined
  /** Bytes that are not parsed before somebody listens. */
  #unread: Unread | undefined
  /** What has been spent of the message budget; undefined where there is none. */
  #spending: Spending | undefined
  /** Writes that wait, as seen last, and those of them that went to the operating system together. */
  #writesSeen = 0
  #writesInFlight = 0

  constructor(socket: WebSocket, home: Home, { rawSocket, options, place, credential, requestId, path }: Beginning) {
    this.socket = socket
    this.place = place
    this.credential = credential
    this.#home = home
    this.#rawSocket = rawSocket
    this.#options = options
    this.#requestId = requestId
    this.#path = path
    occupy(rawSocket, this)
    readThrough(receiverOf(socket), this)
  }

  /**
   * Lets messages wait for a listener as long as the handler is at work.
   * @param result what the handler has returned
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

  /** Whether a chunk of received bytes is being read, in the handler's context. */
  get isReading(): boolean {
    return reading === this
  }

  get isShielded(): boolean {
    return shielded === this && this.isOpen
  }

  /** Keeps the raw socket from being destroyed until the code that runs now is done. */
  shield(): void {
    if (shielded === undefined) {
      queueMicrotask(() => {
        shielded = undefined
      })
    }
    shielded = this
  }

  get bytesRead(): number {
    return this.#rawSocket.bytesRead ?? 0
  }

  /** Whether nothing can be received because nobody reads. */
  get isPaused(): boolean {
    return this.socket.isPaused || this.#unread !== undefined
  }

  /** What is known of the handshake's request. */
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

  // The methods of its class: those that the socket itself has are the application's to replace.

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

  /** Ends a connection whose peer shows no life. */
  expire(): void {
    this.#home.stats.terminated(this.socket, 'heartbeat')
    this.terminate()
  }

  /** Ends a connection that may not go on: it is closed, and no further message of it is delivered. */
  expel(code: number, reason?: string): void {
    if (this.#withheld === 'nothing') this.#withheld = 'messages'
    this.close(code, reason)
  }

  /** Called when its credential has ended. */
  expireCredential(): void {
    this.expel(this.credential?.expiryCode ?? unauthorizedCode, 'credential expired')
  }

  /** @returns false where the connection is closing already */
  renewUntil(expiresAt: number): boolean {
    if (!this.isOpen) return false
    this.#home.renew(this, expiresAt)
    return true
  }

  /** Reports the first fault of the connection and closes it with 1011; nothing more of it is delivered. */
  fail(error: unknown, phase: FaultPhase): void {
    const isFirst = this.#withheld !== 'everything'
    this.#withheld = 'everything'
    if (isFirst) this.#home.report(error, { phase, request: this.request, socket: this.socket })
    this.expel(CloseCode.INTERNAL_ERROR)
  }

  /** Decides whether the listeners of an event hear of it now. */
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
        return this.#isAffordable()
      case 'pong':
        this.#home.pong(this)
        return this.#withheld !== 'everything'
      case 'error':
        return this.#withheld !== 'everything' && this.#isHeard(args[0])
      default:
        return true
    }
  }

  /** Whether somebody listens for errors. If nobody does, it is reported; `ws` has sent the close frame that fits. */
  #isHeard(error: unknown): boolean {
    if (this.socket.listenerCount('error') > 0) return true
    if (this.isOpen) {
      // Not of `ws`, which closes first: the application has emitted it, or Node for a promise that cannot be waited for.
      this.fail(error, 'listener')
      return false
    }
    this.#withheld = 'everything'
    this.#home.report(error, { phase: 'protocol', request: this.request, socket: this.socket })
    return false
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

  /** @returns whether listeners hear of it now: a handler that takes one message after the other gets those first */
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

  /** Called when `ws` is done with it as well, which nobody may have told. */
  leave(code: number): void {
    this.context.runInAsyncScope(this.#home.remove, this.#home, this, code)
  }

  /** Called in front of each `close()` and `terminate()`. */
  noteClose(): void {
    if (this.isOpen) this.#initiator = hasReceivedClose(this.socket) ? 'client' : 'server'
  }

  /** The peer's close frame stands behind what is held, unless it is there already. */
  afterClose(): void {
    if (!hasReceivedClose(this.socket)) this.releaseMessages()
  }

  /** Called behind each write: closes the connection of a client that does not read. */
  checkBacklog(): void {
    const { maxBufferedBytes } = this.#options
    if (maxBufferedBytes === Infinity || this.#backlog() <= maxBufferedBytes || !this.isOpen) return
    if (this.isReading && this.#options.coalesce) {
      // What waits for the end of the chunk says nothing about the client.
      this.#rawSocket.uncork()
      this.#rawSocket.cork()
      if (this.#backlog() <= maxBufferedBytes) return
    }
    this.#home.stats.terminated(this.socket, 'backpressure')
    this.close(CloseCode.TRY_AGAIN_LATER, 'too much unread')
  }

  /**
   * What a client that does not read holds in memory, in bytes: what it is to get, and what keeping that costs. A million
   * messages of one byte are 3 MB on the wire and 400 MB of memory.
   */
  #backlog(): number {
    const { bufferedAmount } = this.socket
    if (bufferedAmount === 0) {
      this.#writesSeen = 0
      this.#writesInFlight = 0
      return 0
    }
    const writes = writesWaiting(this.#rawSocket)
    // Node hands all that wait to the operating system together, and keeps them until it has taken them.
    if (writes < this.#writesSeen) this.#writesInFlight = this.#writesSeen
    this.#writesSeen = writes
    return bufferedAmount + bytesPerWrite * (writes + this.#writesInFlight + 2 * queuedInSender(this.socket))
  }

  /** Reads a chunk of received bytes; the listeners for what is in it run in the handler's context. */
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
   * Leaves the next chunk to the next turn of the event loop where much waits for the client: Node reads up to 2 MB of
   * one connection in a turn, and TLS writes in the next one, so a client that reads would look like one that does not.
   */
  #yields(): boolean {
    if (this.#backlog() <= muchBytes) return false
    setImmediate(readOn, receiverOf(this.socket))
    return true
  }

  /** The connection is over: what was held back is parsed, unless more than enough waits for a listener already. */
  finish(): void {
    const unread = this.#unread
    this.#unread = undefined
    if (unread !== undefined && !(this.#held?.isFull && this.#mustWait())) this.#parse(unread.bytes)
  }

  /** Parses what was held back, in small pieces as long as nobody listens, until too much waits. */
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
      // A compressed message takes its time.
      if (receiver.writableLength > 0) return
    }
    this.#unread = undefined
    if (unread.isStopped) receiver.emit('drain')
  }

  #parse(chunk: Buffer, done?: () => void): boolean {
    return this.context.runInAsyncScope(this.#parseInContext, this, chunk, done)
  }

  /**
   * What listeners send is held back until the chunk is read, so that the answers to all messages in it leave in one
   * call of the system; `ws` makes one for each.
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

  /** Keeps no messages for a listener any more: the handler is done. */
  releaseMessages(): void {
    this.#handler = 'is done'
    this.#deliverSoon()
  }

  /** Whether a message has to wait: for a listener, or for those in front of it. */
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

  /** The application has removed listeners, and with them the one that waits for theirs. */
  listenAgain(): void {
    if (this.#held === undefined) return
    this.socket.off('newListener', this.#held.onNewListener)
    this.socket.on('newListener', this.#held.onNewListener)
  }

  /** On the next tick, so that a listener which is being added gets them, in order and before newer ones. */
  #deliverSoon(): void {
    if (this.#held !== undefined) process.nextTick(() => this.#deliverHeld())
  }

  /** A listener for one message leaves those behind it for the next one. */
  #deliverHeld(): void {
    const held = this.#held
    if (held === undefined || held.isDelivering) return
    held.isDelivering = true
    while (this.#withheld === 'nothing' && (this.#handler === 'is done' || this.socket.listenerCount('message') > 0)) {
      const args = held.take()
      if (args === undefined) break
      // Whoever takes one after the other gets all of them, in its own time.
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
    // Not at once: whoever has got the last message by a promise hears of it first.
    if (closing !== undefined) setImmediate(() => this.#emit('close', closing))
  }

  /** Emits by the socket's own method: the application may have put one in front of it. */
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
