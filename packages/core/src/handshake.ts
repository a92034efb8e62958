import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { HandshakeError } from './errors.ts'
import { type HeadFields, setFields } from './http-fields.ts'
import { Connection } from './life/connection.ts'
import type { Connections } from './life/connections.ts'
import { ContainedWebSocket } from './life/contained-socket.ts'
import { type HeadSender, openSocket } from './life/open-socket.ts'
import type { Endpoint } from './options/endpoint.ts'
import type { ResolvedOptions } from './options/server.ts'
import { type Copy, handshakeKey } from './registry.ts'
import { factsOf, pathOf } from './reports/facts.ts'
import { contain, type FaultReporter } from './reports/fault.ts'
import type { RefusalLog } from './reports/log.ts'
import { clientKeyOf } from './rules/address.ts'
import type { ResolvedCredential } from './rules/credential.ts'
import type { EffectiveRequest } from './rules/effective.ts'
import { quote } from './show.ts'
import type { RawSocket, Tenant } from './transport/raw-socket.ts'
import type { WebSocket } from './websocket.ts'

/** A request over HTTP/1.1, or over HTTP/2 with Node's compatibility API. */
export type HandshakeRequest = IncomingMessage | Http2ServerRequest

/** The response to a {@link HandshakeRequest}. */
export type HandshakeResponse = ServerResponse | Http2ServerResponse

/** What was agreed about a handshake that passed every rule: all that is needed when its response has status 101. */
export interface Agreed {
  /** The framework's request. */
  readonly req: IncomingMessage
  readonly endpoint: Endpoint
  /** The subprotocol that the 101 names; undefined for none. */
  readonly subprotocol: string | undefined
  /** The address that its place counts for; undefined if addresses are not counted. */
  place: string | undefined
  /** Whose connection it is, and for how long. */
  readonly credential: ResolvedCredential | undefined
  /** The framework's ID of the request. */
  readonly requestId: string | undefined
  readonly handler: (socket: WebSocket, req: never) => unknown
  /** Called with whether the 101 was sent. */
  settled?: ((accepted: boolean) => void) | undefined
}

/** How to answer a handshake, which differs between the versions of HTTP. */
export interface Transport {
  /** Sends the head that accepts, `handshake.head`, and detaches the response from the raw socket. */
  switchProtocols(handshake: Handshake): void
  /** Prepares the head of any other answer. @returns its status */
  prepareRefusal(handshake: Handshake, status: number): number
  /** Refuses for an application that has not answered in time. Its response can write nothing more. */
  refuseInPlaceOf(handshake: Handshake, error: HandshakeError): void
  /** Detaches the response from a raw socket that is no longer ours. Late writes of the application go nowhere. */
  part(handshake: Handshake): void
  /** Tells the request that the client has left. */
  abort(handshake: Handshake): void
}

/** What a handshake belongs to. */
export interface HandshakeOwner {
  readonly options: ResolvedOptions
  readonly connections: Connections
  /** This copy of core. */
  readonly copy: Copy
}

/** Other listeners on the same server, which may take the handshake. */
export interface Sharing {
  /** Whether another listener has taken the handshake. */
  readonly taken: boolean
  /** Decides what happens to an answer. @returns whether to send it now */
  answer(status: number): boolean
  /** Sends the answer that was held back while others could take the handshake. @returns false if there is none */
  sendKept(): boolean
}

/**
 * The state of one opening handshake: pending, then either accepted or refused.
 *
 * The response's own `writeHead` decides, whoever calls it: 101 hands the raw socket to `ws`; any other status is an
 * ordinary response, after which the connection closes.
 */
export class Handshake implements Tenant, HeadSender {
  readonly transport: Transport
  options: ResolvedOptions
  connections: Connections
  readonly copy: Copy
  readonly rawSocket: RawSocket
  readonly response: ServerResponse
  /** The path of the URL as received; routers may change `req.url`. */
  readonly path: string
  /** When the handshake arrived, by `performance.now()`. */
  readonly since: number = performance.now()
  /** Whether the application has been called. */
  isAsked = false
  /** The head of the 101 with the fields of the handshake, as `ws` would write it; undefined until it is due. */
  head: string | undefined
  /** Who the client is, as soon as the framework knows. */
  client: EffectiveRequest | undefined
  #clientKey: string | undefined
  #state: 'pending' | 'accepted' | 'refused' = 'pending'
  /** Undefined if nothing else listens for handshakes. */
  readonly #sharing: Sharing | undefined
  #agreed: Agreed | undefined
  #status: number | undefined
  #isReported = false
  #connection: Connection | undefined
  #revoked: { readonly code: number; readonly reason: string } | undefined

  constructor(
    transport: Transport,
    { options, connections, copy }: HandshakeOwner,
    rawSocket: RawSocket,
    response: ServerResponse,
    sharing?: Sharing
  ) {
    this.transport = transport
    this.options = options
    this.connections = connections
    this.copy = copy
    this.rawSocket = rawSocket
    this.response = response
    this.#sharing = sharing
    this.path = pathOf(response.req.url as string)
    rawSocket.rent(this, connections, this.since)
  }

  get state(): 'pending' | 'accepted' | 'refused' {
    return this.#state
  }

  get key(): string | undefined {
    return this.#agreed?.credential?.key
  }

  /** Whether another listener for `upgrade` has taken the raw socket. */
  get isTaken(): boolean {
    return this.#sharing?.taken === true
  }

  /**
   * Takes a place, and allows the next 101 of the response. If no connection opens, the place is free again.
   * @throws HandshakeError if no place is left
   */
  accept(agreed: Agreed, effective: EffectiveRequest): void {
    if (this.#agreed !== undefined || this.#state === 'accepted') {
      throw new Error('acceptWebSocket() was called twice for one request.')
    }
    if (this.#state === 'refused') {
      throw new Error(`acceptWebSocket() was called after the response had started with status ${this.#status}.`)
    }
    agreed.place = this.connections.limits.take(effective)
    this.#agreed = agreed
  }

  /** Moves it to another attachment while it is pending. */
  moveTo({ options, connections }: HandshakeOwner): void {
    const former = this.connections
    this.options = options
    this.connections = connections
    this.rawSocket.rent(this, connections, this.since)
    former.leave()
  }

  /** Called by the response's `writeHead`, before the status is written. */
  settle(status: number): void {
    const agreed = this.#agreed
    if (status === 101 && agreed === undefined) {
      throw new Error('Status 101 was written by hand; call acceptWebSocket() instead.')
    }
    if (this.#sharing?.answer(status) === false) {
      if (this.isTaken && agreed !== undefined) this.report(conflict(this))
      this.#refuse(status)
      return
    }
    // If opening throws, the answer to that fault frees the place.
    if (status === 101 && agreed !== undefined) {
      if (this.#open(agreed)) return
      this.report(aborted())
    }
    this.#refuse(status)
    this.rawSocket.answer()
  }

  /** Opens the socket: the response writes the 101, `ws` takes the raw socket, and the handler gets the socket. */
  #open(agreed: Agreed): boolean {
    const { connections, rawSocket, path } = this
    const { req, handler } = agreed
    const socket = openSocket(agreed, rawSocket.stream, rawSocket.takeInput(), this)
    if (socket === undefined) return false
    this.#agreed = undefined
    rawSocket.leaveList()
    const connection = new Connection(socket, connections, rawSocket.stream, path, agreed)
    ContainedWebSocket.tie(socket, connection)
    this.#connection = connection
    connections.stats.accepted(socket, req, this.since)
    connections.add(connection)
    if (this.#revoked !== undefined) connection.expel(this.#revoked.code, this.#revoked.reason)
    agreed.settled?.(true)
    // Called directly, to keep the stack between a route and its handler short.
    try {
      connection.follow(handler(socket, req as never))
    } catch (error) {
      connection.fail(error, 'handler')
    }
    return true
  }

  sendHead(head: string): void {
    this.head = head
    this.transport.switchProtocols(this)
    this.#state = 'accepted'
  }

  #refuse(status: number): void {
    this.#state = 'refused'
    this.#status = status
    this.#abandon()
  }

  /** Frees the place of an agreed handshake that does not become a connection. */
  #abandon(): void {
    const agreed = this.#agreed
    this.#agreed = undefined
    if (agreed === undefined) return
    this.connections.limits.giveBack(agreed.place)
    agreed.settled?.(false)
  }

  /** Called when the dispatch to the application has returned. */
  dispatched(): void {
    if (this.#state !== 'accepted' && !this.isTaken) this.rawSocket.dispatched()
  }

  /** Called when the response is written. If the handshake is still pending, the response has bypassed `writeHead`. */
  finished(): void {
    if (this.#state === 'pending') this.#refuse(this.response.statusCode)
  }

  /** Called when the client has left, or was cut. */
  closed(): void {
    if (this.#state === 'pending') {
      this.report(aborted())
      this.#refuse(this.response.statusCode)
    }
    this.transport.abort(this)
  }

  /** Answers 503 if the application has not answered. Cuts a client that does not read its answer. */
  expire(): boolean {
    if (this.#sharing?.sendKept() === true) return false
    if (this.isTaken) {
      this.discard()
      return false
    }
    if (this.#state !== 'pending') {
      const isMoving = this.rawSocket.hasMoved()
      if (!isMoving) this.rawSocket.destroy()
      return isMoving
    }
    const error = new HandshakeError('HANDSHAKE_TIMEOUT', 'The server took too long to answer; try again.')
    this.report(error)
    this.settle(error.status)
    this.transport.refuseInPlaceOf(this, error)
    return false
  }

  /** Keeps an accepted raw socket from being destroyed by the code that is running now. */
  shield(): void {
    this.#connection?.shield()
  }

  /** Called when a route has upgraded the connection itself. */
  taken(): void {
    this.#refuse(101)
  }

  revoke(code: number, reason: string): void {
    this.#revoked = { code, reason }
  }

  /**
   * Closes the response as if the client had left: another listener has the raw socket, or another application is next.
   */
  discard(): void {
    if (this.#state === 'pending') this.#refuse(this.response.statusCode)
    if (this.isTaken) this.rawSocket.leave()
    this.transport.part(this)
  }

  /**
   * Counts a refusal and reports it to the operator, once per handshake.
   * @param framework logs the refusal in its own way
   */
  report(error: HandshakeError, framework?: RefusalTeller): void {
    if (this.#isReported) return
    this.#isReported = true
    const { req } = this.response
    this.connections.stats.refused(error, req, this.since)
    if (framework?.onRefused === undefined) this.options.onRefused(error, req, framework)
    else tellFramework(framework, error, this.options.onError, req)
  }

  /** Identifies the client in the count of pending handshakes per address; undefined until it is known. */
  get clientKey(): string | undefined {
    this.#clientKey ??= clientKeyOf(this.client ?? this.options.clientOf(this.response.req))
    return this.#clientKey
  }
}

/** How a framework logs refusals: instead of the option `onRefused`, or instead of its default. */
interface RefusalTeller extends RefusalLog {
  onRefused?: ((error: HandshakeError) => unknown) | undefined
}

/** Lets a framework log a refusal. If that fails, the answer stays the same. */
export function tellFramework(
  framework: RefusalTeller,
  error: HandshakeError,
  onError: FaultReporter,
  req: IncomingMessage
): void {
  contain(
    () => framework.onRefused?.(error),
    (fault) => onError(fault, { phase: 'dispatch', request: factsOf(req), socket: undefined })
  )
}

/** Another `upgrade` listener has accepted the handshake too. */
export const conflict = ({ path }: Handshake): HandshakeError =>
  new HandshakeError(
    'HANDSHAKE_CONFLICT',
    'Another listener on this server has already answered this handshake.',
    `acceptWebSocket() was called for ${quote(path)}, but another "upgrade" listener on this server has already sent ` +
      '101. Give that listener its own path (with ws: new WebSocketServer({ server, path }))'
  )

/** The client has left before it got an answer. */
export const aborted = (): HandshakeError =>
  new HandshakeError('HANDSHAKE_ABORTED', 'The client disconnected before its handshake was answered.')

/**
 * Where a request keeps its handshake. Not in a `WeakMap`: V8's young-generation GC treats its values as alive, so each
 * handshake, with everything it refers to, would be copied and kept until the next full GC.
 */
interface WithHandshake {
  [handshakeKey]?: { readonly copy: Copy }
}

/** The handshake of a request; undefined for an ordinary request, and for a handshake of another copy of core. */
export function handshakeOf(req: IncomingMessage & WithHandshake): Handshake | undefined {
  const handshake = req[handshakeKey]
  return handshake instanceof Handshake ? handshake : undefined
}

/** The copy of core that has the handshake of a request, if it is not this one. */
export function otherCopyOf(req: HandshakeRequest & WithHandshake): Copy | undefined {
  const handshake = req[handshakeKey]
  return handshake === undefined || handshake instanceof Handshake ? undefined : handshake.copy
}

/**
 * An object that lives as long as a handshake, for what an adapter has to remember of it. For an ordinary request, this is
 * the request itself. Express gives requests another prototype, and after that V8 makes a new hidden class for each
 * property that is added: 2 µs and a kilobyte each time.
 */
export const carrierOf = (req: HandshakeRequest): object => (req as WithHandshake)[handshakeKey] ?? req

/** Whether a request has a handshake, in any copy of core. */
export const hasHandshake = (req: HandshakeRequest & WithHandshake): boolean => req[handshakeKey] !== undefined

/**
 * Ties a handshake to its request and replaces the response's `writeHead`.
 *
 * The replacement is an own property of this one response. A subclass of `ServerResponse` would not do, because Express
 * gives `req` and `res` new prototypes, and shared prototypes must not be changed.
 */
export function beginHandshake(req: IncomingMessage & WithHandshake, handshake: Handshake): void {
  req[handshakeKey] = handshake
  handshake.response.writeHead = writeHead as ServerResponse['writeHead']
}

function writeHead(
  this: ServerResponse,
  status: number,
  reason?: string | HeadFields,
  fields?: HeadFields
): ServerResponse {
  const handshake = handshakeOf(this.req)
  if (handshake?.state !== 'pending' || handshake.response !== this) {
    const { writeHead } = Object.getPrototypeOf(this) as ServerResponse
    const args = fields === undefined ? [status, reason] : [status, reason, fields]
    return Reflect.apply(writeHead, this, reason === undefined ? [status] : args)
  }
  const given = typeof reason === 'string' ? fields : (fields ?? reason)
  if (given !== undefined) setFields(this, given)
  // Node accepts a string too.
  const code = Math.trunc(status)
  handshake.settle(code)
  if (code !== 101) {
    frameworkWriteHead(this, handshake.transport.prepareRefusal(handshake, code), reason)
  }
  return this
}

/** Calls the `writeHead` that the response would have without us: that of the framework, or Node's. */
export function frameworkWriteHead(res: ServerResponse, status: number, reason?: unknown): ServerResponse {
  const { writeHead } = Object.getPrototypeOf(res) as ServerResponse
  return Reflect.apply(writeHead, res, typeof reason === 'string' ? [status, reason] : [status])
}
