import { AsyncResource } from 'node:async_hooks'
import { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex, Writable } from 'node:stream'
import { WebSocket, WebSocketServer } from 'ws'
import { CloseCode } from '../close-code.ts'
import { show } from '../errors.ts'
import type { HandshakeFields } from '../http-fields.ts'
import type { ConnectionOptions } from '../options/endpoint.ts'
import type { ConnectionSummary, RequestFacts } from '../reports/facts.ts'
import type { FaultReporter } from '../reports/fault.ts'
import type { EndedConnection, Stats } from '../reports/stats.ts'
import { type ResolvedCredential, timeOf, unauthorizedCode } from '../rules/credential.ts'
import type { Expiring } from './expiry.ts'
import type { Beating } from './heartbeat.ts'

/** What the rules found in a request, for `ws` to answer. */
export interface AgreedHandshake {
  /** The request as Node has it. */
  readonly request: IncomingMessage
  readonly key: string
  readonly subprotocol: string | undefined
  readonly extensions: string | undefined
  /** Puts the 101 with these fields on the wire; called before any frame is written. */
  writeHead(fields: HandshakeFields): void
  /** Takes the open socket, in the same tick. */
  onOpen(socket: ContainedWebSocket): void
}

/** What belongs to a request while `ws` has it. */
interface Bridge {
  readonly agreed: AgreedHandshake
  readonly rawSocket: Duplex
  /** Set where `ws` takes none of the offered extensions. */
  declined: boolean
  opened: boolean
}

/** Time for which messages wait for a listener while the handler is at work, in milliseconds. */
const holdMs = 10_000

/** Bytes that wait for a listener before the raw socket is paused: pings and the close frame behind them still get through. */
const holdBytes = 65_536

/** Messages that wait for a listener. */
interface HeldMessages {
  /** Arguments of the events. */
  readonly messages: unknown[][]
  bytes: number
  readonly timer: NodeJS.Timeout
}

/** What a connection needs of the attachment that it belongs to. */
export interface Home {
  readonly report: FaultReporter
  readonly stats: Stats
  /** Is told of pongs. */
  pong(socket: ContainedWebSocket): void
  /** Is told of the end. Not by a listener: the application may remove them all. */
  remove(socket: ContainedWebSocket, code: number): void
  /** Sets the time at which the socket's credential ends. */
  renew(socket: ContainedWebSocket, expiresAt: number): void
}

/**
 * A `ws.WebSocket` that an application can't break and a peer can't fill.
 *
 * A listener that throws or rejects, and an `error` that nobody listens for, are reported once, and the connection is
 * closed. Messages that come before somebody listens wait. What a peer does not read is bounded.
 */
export class ContainedWebSocket extends WebSocket implements Beating, Expiring, EndedConnection {
  /** The address under which this connection counts; undefined where addresses are not counted. */
  place: string | undefined
  /** Whose it is, and for how long. */
  credential: ResolvedCredential | undefined
  slotOfBeat: number | undefined
  placeInSlot = 0
  bytesAtLook = 0
  restsAtLook = false
  #home: Home | undefined
  #rawSocket: (Duplex & Partial<Pick<Socket, 'bytesRead' | 'bytesWritten' | 'remoteAddress'>>) | undefined
  #options: ConnectionOptions | undefined
  #context: AsyncResource | undefined
  #requestId: string | undefined
  #path = ''
  /** In whole milliseconds, which take no memory of their own. */
  #openedAt = 0
  #initiator: ConnectionSummary['initiator'] = 'network'
  #isExpelled = false
  /** Whether a chunk of received bytes is being read, in the handler's context. */
  #isReading = false
  /** Whether messages wait for a listener: as long as the handler is at work. */
  #holds = false
  /** Messages that nobody has listened for yet; undefined where there are none. */
  #held: HeldMessages | undefined

  constructor(address: null, protocols: undefined, options: object) {
    super(address as never, protocols, options as never)
    // `ws` gives its emitter no options; EventEmitter takes them in a call on a made instance as well.
    // https://nodejs.org/api/events.html#capture-rejections-of-promises
    Reflect.apply(EventEmitter as unknown as () => void, this, [{ captureRejections: true }])
  }

  /** Called once, when the socket has opened. */
  begin(rawSocket: Duplex, options: ConnectionOptions, home: Home, requestId: string | undefined, path: string): void {
    this.#home = home
    // Listeners run in the context of the handler that attached them: its AsyncLocalStorage is the request's.
    this.#context = new AsyncResource('ONEPORT', { requireManualDestroy: true })
    this.#rawSocket = rawSocket
    this.#options = options
    this.#requestId = requestId
    this.#path = path
    this.#openedAt = Math.round(performance.now())
    this.#holds = true
    rawSocket.end = endOnce as Duplex['end']
    const receiver = receiverOf(this)
    receiver.reader = this
    receiver.write = readChunk as Writable['write']
    receiver.end = endOnce as Writable['end']
  }

  /** Reads a chunk of received bytes; the listeners for what is in it run in the handler's context. */
  read(chunk: Buffer, receiver: Writable): boolean {
    return (this.#context as AsyncResource).runInAsyncScope(this.#parse, this, chunk, receiver)
  }

  /**
   * What listeners send is held back until the chunk is read, so that the answers to all messages in it leave in one
   * call of the system; `ws` makes one for each.
   */
  #parse(chunk: Buffer, receiver: Writable): boolean {
    const rawSocket = this.#options?.coalesce ? this.#rawSocket : undefined
    rawSocket?.cork()
    this.#isReading = true
    try {
      const { write } = Object.getPrototypeOf(receiver) as Writable
      return Reflect.apply(write, receiver, [chunk])
    } finally {
      this.#isReading = false
      rawSocket?.uncork()
    }
  }

  get bytesRead(): number {
    return this.#rawSocket?.bytesRead ?? 0
  }

  /** What is known of the handshake's request. */
  get request(): RequestFacts {
    return { id: this.#requestId, path: this.#path, address: this.#rawSocket?.remoteAddress }
  }

  summarize(code: number): ConnectionSummary {
    return {
      code,
      initiator: this.#initiator,
      durationMs: Math.max(0, performance.now() - this.#openedAt),
      bytesIn: this.bytesRead,
      bytesOut: this.#rawSocket?.bytesWritten ?? 0,
      request: this.request
    }
  }

  /** Ends a connection whose peer shows no life. */
  expire(): void {
    this.#home?.stats.terminated(this, 'heartbeat')
    this.terminate()
  }

  /** Ends a connection that may not go on: it is closed, and no further message of it is delivered. */
  expel(code: number, reason: string): void {
    this.#isExpelled = true
    this.close(code, reason)
  }

  /** Called when its credential has ended. */
  expireCredential(): void {
    this.expel(this.credential?.expiryCode ?? unauthorizedCode, 'credential expired')
  }

  /** @returns false where the connection is closing already */
  renewUntil(expiresAt: number): boolean {
    if (this.#home === undefined || this.readyState !== WebSocket.OPEN) return false
    this.#home.renew(this, expiresAt)
    return true
  }

  /** Reports a fault of the application and closes the connection with 1011. */
  fail(error: unknown, phase: 'handler' | 'listener'): void {
    this.#home?.report(error, { phase, request: this.request, socket: this })
    this.close(CloseCode.INTERNAL_ERROR)
  }

  /** Keeps no messages for a listener any more: the handler is done. */
  releaseMessages(): void {
    this.#holds = false
    this.deliverSoon()
  }

  /** On the next tick, so that a listener which is being added gets them, in order and before newer ones. */
  deliverSoon(): void {
    if (this.#held === undefined) return
    this.off('newListener', deliverToListener)
    process.nextTick(() => this.#deliverHeld())
  }

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (event === 'message') {
      if (this.#isExpelled) return false
      if (this.#mustWait()) return this.#hold(args)
    } else if (event === 'close') {
      this.#holds = false
      this.#deliverHeld()
      const [code] = args as [number]
      this.#context?.runInAsyncScope(() => this.#home?.remove(this, code))
    } else if (event === 'pong') {
      this.#home?.pong(this)
    } else if (event === 'error' && this.listenerCount('error') === 0) {
      // `ws` has sent the close frame that fits (1002, 1007, 1009) before it emits this.
      this.#home?.report(args[0], { phase: 'protocol', request: this.request, socket: this })
      return false
    }
    try {
      if (this.#isReading || this.#context === undefined) return super.emit(event, ...args)
      return this.#context.runInAsyncScope(super.emit, this, event, ...args)
    } catch (error) {
      this.fail(error, 'listener')
      return true
    }
  }

  override close(code?: number, reason?: string | Buffer): void {
    if (this.readyState === WebSocket.OPEN) this.#initiator = hasReceivedClose(this) ? 'client' : 'server'
    super.close(code, reason)
    // The peer's close frame stands behind what is held, unless it is there already.
    if (!hasReceivedClose(this)) this.releaseMessages()
  }

  override terminate(): void {
    if (this.readyState === WebSocket.OPEN) this.#initiator = 'server'
    super.terminate()
  }

  override send(data: never, ...rest: never[]): void {
    super.send(data, ...rest)
    const { maxBufferedBytes = Infinity } = this.#options ?? {}
    if (this.bufferedAmount > maxBufferedBytes && this.readyState === WebSocket.OPEN) {
      this.#home?.stats.terminated(this, 'backpressure')
      this.close(CloseCode.TRY_AGAIN_LATER, 'too much unread')
    }
  }

  override [EventEmitter.captureRejectionSymbol](error: unknown): void {
    this.fail(error, 'listener')
  }

  /** Whether a message has to wait: for a listener, or for those in front of it. */
  #mustWait(): boolean {
    return this.#held !== undefined || (this.#holds && this.listenerCount('message') === 0)
  }

  /** Keeps a message; past `holdBytes` nothing more is read until somebody listens. */
  #hold(args: unknown[]): boolean {
    if (this.#held === undefined) {
      const timer = setTimeout(() => this.releaseMessages(), holdMs).unref()
      this.#held = { messages: [], bytes: 0, timer }
      this.on('newListener', deliverToListener)
    }
    this.#held.messages.push(args)
    this.#held.bytes += (args[0] as Partial<Buffer>).byteLength ?? 0
    if (this.#held.bytes > holdBytes) this.pause()
    return true
  }

  /** A listener for one message leaves those behind it for the next one. */
  #deliverHeld(): void {
    const held = this.#held
    if (held === undefined) return
    this.#held = undefined
    clearTimeout(held.timer)
    for (const args of held.messages) this.emit('message', ...args)
    const { bytes = 0 } = (this.#held as HeldMessages | undefined) ?? {}
    if (held.bytes > holdBytes && bytes <= holdBytes) this.resume()
  }
}

/**
 * `ws` ends raw socket and receiver again when they have ended, and Node makes an error with a stack for each time, which
 * nobody gets: a fifth of the work of a short connection.
 */
function endOnce(this: Writable, ...args: never[]): Writable {
  if (this.writableEnded && args.length === 0) return this
  const { end } = Object.getPrototypeOf(this) as Writable
  return Reflect.apply(end, this, args)
}

/** The stream that parses frames. */
interface Receiver extends Writable {
  reader?: ContainedWebSocket
}

/** Under the name that `ws` has for it. */
const receiverOf = (socket: WebSocket): Receiver => (socket as unknown as { _receiver: Receiver })._receiver

/** One function for all receivers. */
function readChunk(this: Receiver, chunk: Buffer): boolean {
  return (this.reader as ContainedWebSocket).read(chunk, this)
}

/** `ws` answers the client's close frame by calling `close()` itself, and tells it in this field alone. */
const hasReceivedClose = (socket: WebSocket): boolean =>
  (socket as unknown as { _closeFrameReceived?: boolean })._closeFrameReceived === true

/**
 * Moves the end of a connection's credential, as after a fresh login over the connection itself.
 * @param expiresAt a `Date`, or milliseconds since 1970; Infinity for never
 * @returns false where the connection is closing already
 * @throws TypeError for a socket that was not accepted here, and for anything but a time
 */
export function renew(socket: WebSocket, expiresAt: Date | number): boolean {
  if (!(socket instanceof ContainedWebSocket)) {
    throw new TypeError(`renew: expected a socket that acceptWebSocket() has opened; got ${show(socket)}`)
  }
  return socket.renewUntil(timeOf(expiresAt))
}

function deliverToListener(this: WebSocket, event: string | symbol): void {
  if (event === 'message' && this instanceof ContainedWebSocket) this.deliverSoon()
}

const servers = new WeakMap<ConnectionOptions, WebSocketServer>()

function serverFor(options: ConnectionOptions): WebSocketServer {
  let server = servers.get(options)
  if (server === undefined) {
    const { maxPayloadBytes, perMessageDeflate, closeTimeoutMs, ws } = options
    server = new WebSocketServer({
      ...pieceLimits(maxPayloadBytes),
      ...ws,
      noServer: true,
      clientTracking: false,
      maxPayload: maxPayloadBytes === Infinity ? 0 : maxPayloadBytes,
      perMessageDeflate,
      closeTimeout: closeTimeoutMs,
      WebSocket: ContainedWebSocket
    } as object)
    // With a listener for this, `ws` leaves refusals to others and writes nothing. Version, key and subprotocol have
    // been checked by then, so what is left are extensions.
    server.on('wsClientError', (_error, _socket, request) => {
      ;(bridges.get(request) as Bridge).declined = true
    })
    server.on('headers', (lines, request) => {
      const { agreed, rawSocket } = bridges.get(request) as Bridge
      agreed.writeHead(parseFields(lines))
      swallowNextWrite(rawSocket)
    })
    servers.set(options, server)
  }
  return server
}

/**
 * How many pieces a message may come in. Each piece that waits costs about 200 bytes beside its own, so that with the
 * limits of `ws` (16 384 fragments, 262 144 reads) a message of 1 MiB in single bytes would hold 50 MB.
 * A fragment stands for 256 bytes of the largest message here, a read for 128, and neither limit is above that of `ws`.
 */
export function pieceLimits(maxPayloadBytes: number): { maxFragments: number; maxBufferedChunks: number } {
  const between = (least: number, pieces: number, most: number) => Math.ceil(Math.min(most, Math.max(least, pieces)))
  return {
    maxFragments: between(4_096, maxPayloadBytes / 256, 16_384),
    maxBufferedChunks: between(8_192, maxPayloadBytes / 128, 262_144)
  }
}

/** What `ws` would write: a status line, then a line for each field. */
function parseFields(lines: readonly string[]): string[] {
  const fields: string[] = []
  for (let index = 1; index < lines.length; index++) {
    const line = lines[index] as string
    const colon = line.indexOf(': ')
    fields.push(line.slice(0, colon), line.slice(colon + 2))
  }
  return fields
}

/**
 * Hands a raw socket to `ws`. The framework's own response writes the 101, with the fields that `ws` asks for.
 * @returns false where the client has gone: then nothing was written and no socket opened
 */
export function openWebSocket(
  rawSocket: Duplex,
  head: Buffer | undefined,
  agreed: AgreedHandshake,
  options: ConnectionOptions
): boolean {
  const { request: actual, key, subprotocol, extensions } = agreed
  // What monitors read of a request, they read of the real one; on HTTP/2 its fields cannot be set.
  const request = actual.httpVersionMajor === 1 ? actual : Object.create(actual, lookalike)
  const bridge: Bridge = { agreed, rawSocket, declined: false, opened: false }
  bridges.set(request, bridge)
  const { headers } = actual
  const ofRequest = { ...headers, upgrade: 'websocket', 'sec-websocket-key': key, 'sec-websocket-version': '13' }
  const agreedHeaders: IncomingMessage['headers'] = ofRequest
  delete agreedHeaders['sec-websocket-protocol']
  delete agreedHeaders['sec-websocket-extensions']
  if (subprotocol !== undefined) agreedHeaders['sec-websocket-protocol'] = subprotocol
  if (extensions !== undefined) agreedHeaders['sec-websocket-extensions'] = extensions
  const server = serverFor(options)
  const open = (): void =>
    server.handleUpgrade(request, rawSocket, head ?? nothing, (socket) => {
      bridge.opened = true
      request.headers = headers
      agreed.onOpen(socket as ContainedWebSocket)
    })
  try {
    request.headers = agreedHeaders
    open()
    if (bridge.declined) {
      // An offer that cannot be accepted is declined, not refused (RFC 7692 §5.1).
      delete agreedHeaders['sec-websocket-extensions']
      open()
    }
  } finally {
    request.headers = headers
  }
  return bridge.opened
}

const bridges = new WeakMap<IncomingMessage, Bridge>()

const lookalike: PropertyDescriptorMap = {
  method: { value: 'GET' },
  headers: { value: undefined, writable: true }
}

const nothing = Buffer.alloc(0)

/**
 * `ws` always writes a 101 of its own right after its `headers` event. The response has written it by then, with
 * everything that middleware set, so this one write is dropped.
 */
function swallowNextWrite(stream: Duplex): void {
  if (!Object.hasOwn(stream, 'write')) {
    stream.write = dropWrite
    return
  }
  const { write } = stream
  stream.write = () => {
    stream.write = write
    return true
  }
}

function dropWrite(this: Duplex): boolean {
  Reflect.deleteProperty(this, 'write')
  return true
}
