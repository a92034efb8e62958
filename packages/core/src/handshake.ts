import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { HandshakeError } from './errors.ts'
import { type HandshakeFields, type HeadFields, setFields } from './http-fields.ts'
import { Connection } from './life/connection.ts'
import type { Connections } from './life/connections.ts'
import { ContainedWebSocket } from './life/contained-socket.ts'
import { openSocket } from './life/open-socket.ts'
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

/** A request of HTTP/1.1, or one of HTTP/2 in the shape that Node gives it for compatibility. */
export type HandshakeRequest = IncomingMessage | Http2ServerRequest

/** The response to a {@link HandshakeRequest}. */
export type HandshakeResponse = ServerResponse | Http2ServerResponse

/** A handshake that every rule lets in: all that is needed once its response has status 101. */
export interface Agreed {
  /** The request as the framework has it. */
  readonly req: IncomingMessage
  readonly endpoint: Endpoint
  /** The subprotocol that the 101 names; undefined for none. */
  readonly subprotocol: string | undefined
  /** The address under which its place is counted; undefined where addresses are not counted. */
  place: string | undefined
  /** Whose the connection is, and for how long. */
  readonly credential: ResolvedCredential | undefined
  /** The framework's id of the request. */
  readonly requestId: string | undefined
  readonly handler: (socket: WebSocket, req: never) => unknown
  /** Is told whether the 101 went out. */
  settled?: ((accepted: boolean) => void) | undefined
}

/** In what the versions of HTTP differ once a handshake is answered. */
export interface Transport {
  /** Puts the head that accepts on the wire, with the fields that `ws` asks for, and parts response and raw socket. */
  switchProtocols(handshake: Handshake, fields: HandshakeFields): void
  /** Prepares the head of any other answer. @returns its status */
  prepareRefusal(handshake: Handshake, status: number): number
  /** Refuses in place of an application that has not answered in time, and lets its response write nothing more. */
  refuseInPlaceOf(handshake: Handshake, error: HandshakeError): void
  /** Parts the response from the raw socket, which is another's: what the application still writes goes nowhere. */
  part(handshake: Handshake): void
  /** Tells the request that its client has left. */
  abort(handshake: Handshake): void
}

/** What a handshake belongs to. */
export interface HandshakeOwner {
  readonly options: ResolvedOptions
  readonly connections: Connections
  /** This copy of core. */
  readonly copy: Copy
}

/** Others on the same server who may take the handshake. */
export interface Sharing {
  /** Whether one has. */
  readonly taken: boolean
  /** Decides what becomes of an answer; returns whether it goes out now. */
  answer(status: number): boolean
  /** Sends an answer that was kept until it was clear that nobody takes the handshake; false where there is none. */
  sendKept(): boolean
}

/**
 * The state of one opening handshake: pending, then accepted or refused, once.
 *
 * The way out is the response's own `writeHead`, whoever calls it: 101 hands the raw socket to `ws`, every other
 * status is an ordinary response after which the connection ends.
 */
export class Handshake implements Tenant {
  readonly transport: Transport
  readonly options: ResolvedOptions
  readonly connections: Connections
  readonly copy: Copy
  readonly rawSocket: RawSocket
  readonly response: ServerResponse
  /** The path of its URL, as it came: routers may change `req.url`. */
  readonly path: string
  /** When it came, by `performance.now()`. */
  readonly since: number = performance.now()
  /** Whether the routes of the application have been asked. */
  isAsked = false
  /** Who the client is, once the framework knows. */
  client: EffectiveRequest | undefined
  #clientKey: string | undefined
  #state: 'pending' | 'accepted' | 'refused' = 'pending'
  /** Undefined where nobody else listens for handshakes. */
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
   * Takes a place, and lets the next 101 of the response go out. From here on the place is given back of what does not
   * become a connection.
   * @throws HandshakeError where there is no place
   */
  accept(agreed: Agreed, effective: EffectiveRequest): void {
    if (this.#agreed !== undefined || this.#state === 'accepted') {
      throw new Error('acceptWebSocket() was called twice for one request.')
    }
    if (this.#state === 'refused') {
      throw new Error(`acceptWebSocket() came after the response had begun with status ${this.#status}.`)
    }
    agreed.place = this.connections.limits.take(effective)
    this.#agreed = agreed
  }

  /** Called by the response's `writeHead` with the status that is about to be written. */
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
    // Where opening throws, what was agreed stays, and the answer to that fault gives its place back.
    if (status === 101 && agreed !== undefined) {
      if (this.#open(agreed)) return
      this.report(aborted())
    }
    this.#refuse(status)
    this.rawSocket.answer()
  }

  /** The hand-off: the response writes the 101, `ws` takes the raw socket, the handler gets the socket. */
  #open(agreed: Agreed): boolean {
    const { connections, rawSocket, transport, path } = this
    const { req, endpoint, subprotocol, credential, place, requestId, handler } = agreed
    const options = endpoint.connection
    const { stream } = rawSocket
    const opening = { req, rawSocket: stream, head: rawSocket.takeInput(), subprotocol, options }
    const socket = openSocket(opening, (fields) => {
      transport.switchProtocols(this, fields)
      this.#state = 'accepted'
    })
    if (socket === undefined) return false
    this.#agreed = undefined
    rawSocket.leaveList()
    const connection = new Connection(socket, connections, {
      rawSocket: stream,
      options,
      place,
      credential,
      requestId,
      path
    })
    ContainedWebSocket.tie(socket, connection)
    this.#connection = connection
    connections.stats.accepted(socket, req, this.since)
    connections.add(connection)
    if (this.#revoked !== undefined) connection.expel(this.#revoked.code, this.#revoked.reason)
    agreed.settled?.(true)
    // Called from here, so that few frames stand between a route and its handler in a stack or a profile.
    try {
      connection.follow(handler(socket, req as never))
    } catch (error) {
      connection.fail(error, 'handler')
    }
    return true
  }

  #refuse(status: number): void {
    this.#state = 'refused'
    this.#status = status
    this.#abandon()
  }

  /** Gives the place back of what was agreed and does not become a connection. */
  #abandon(): void {
    const agreed = this.#agreed
    this.#agreed = undefined
    if (agreed === undefined) return
    this.connections.limits.giveBack(agreed.place)
    agreed.settled?.(false)
  }

  /** The application has been asked. */
  dispatched(): void {
    if (this.#state !== 'accepted' && !this.isTaken) this.rawSocket.dispatched()
  }

  /** The response has been written, past its own `writeHead` where the handshake is pending still. */
  finished(): void {
    if (this.#state === 'pending') this.#refuse(this.response.statusCode)
  }

  /** The client has left, or was cut. */
  closed(): void {
    if (this.#state === 'pending') {
      this.report(aborted())
      this.#refuse(this.response.statusCode)
    }
    this.transport.abort(this)
  }

  /** Answers 503 where the application has not answered; ends an answer that the client does not read. */
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

  /** Keeps an accepted raw socket from being destroyed until the code that runs now is done. */
  shield(): void {
    this.#connection?.shield()
  }

  /** A route has upgraded the connection by itself. */
  taken(): void {
    this.#refuse(101)
  }

  revoke(code: number, reason: string): void {
    this.#revoked = { code, reason }
  }

  /** Closes the response as if the client had gone: the raw socket is another's, or another application is asked. */
  discard(): void {
    if (this.#state === 'pending') this.#refuse(this.response.statusCode)
    if (this.isTaken) this.rawSocket.leave()
    this.transport.part(this)
  }

  /**
   * Counts a refusal and tells the operator of it, the first time.
   * @param framework logs it in its own way
   */
  report(error: HandshakeError, framework?: RefusalTeller): void {
    if (this.#isReported) return
    this.#isReported = true
    const { req } = this.response
    this.connections.stats.refused(error, req, this.since)
    if (framework?.onRefused === undefined) this.options.onRefused(error, req, framework)
    else tellFramework(framework, error, this.options.onError, req)
  }

  /** What the client is counted by among those that wait; undefined as long as nobody knows. */
  get clientKey(): string | undefined {
    this.#clientKey ??= clientKeyOf(this.client ?? this.options.clientOf(this.response.req))
    return this.#clientKey
  }
}

/** What logs refusals: in place of the option `onRefused`, or in place of its default. */
interface RefusalTeller extends RefusalLog {
  onRefused?: ((error: HandshakeError) => unknown) | undefined
}

/** Has a framework log a refusal; one that fails at that does not change the answer. */
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

/** Two listeners for `upgrade` accepted one handshake. */
export const conflict = ({ path }: Handshake): HandshakeError =>
  new HandshakeError(
    'HANDSHAKE_CONFLICT',
    'Another listener of this server has answered this handshake.',
    `acceptWebSocket() was called for ${quote(path)}, but another listener for "upgrade" on this server has ` +
      'answered 101 already. Give that one a path of its own (with ws: new WebSocketServer({ server, path }))'
  )

/** The client left before it was answered. */
export const aborted = (): HandshakeError =>
  new HandshakeError('HANDSHAKE_ABORTED', 'The client went away before its handshake was answered.')

/**
 * Where a request has its handshake. Not in a WeakMap: when V8 collects its young objects, it takes the values of one
 * for alive, so that each handshake with all that it refers to would be copied and kept until the next full collection.
 */
interface WithHandshake {
  [handshakeKey]?: { readonly copy: Copy }
}

/** The handshake that a request belongs to; undefined for an ordinary request, and for one of another copy of core. */
export function handshakeOf(req: IncomingMessage & WithHandshake): Handshake | undefined {
  const handshake = req[handshakeKey]
  return handshake instanceof Handshake ? handshake : undefined
}

/** The copy of core that has the handshake of a request, where that is another one. */
export function otherCopyOf(req: HandshakeRequest & WithHandshake): Copy | undefined {
  const handshake = req[handshakeKey]
  return handshake === undefined || handshake instanceof Handshake ? undefined : handshake.copy
}

/** Whether a request belongs to a handshake, of whichever copy of core. */
export const hasHandshake = (req: HandshakeRequest & WithHandshake): boolean => req[handshakeKey] !== undefined

/**
 * Ties a handshake to its request and takes over the response's `writeHead`.
 *
 * It is an own property of this one response: Express gives `req` and `res` new prototypes, so a subclass of
 * `ServerResponse` would lose its methods, and prototypes that others share stay as they are.
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
  // Node takes a string as well.
  const code = Math.trunc(status)
  handshake.settle(code)
  if (code !== 101) {
    frameworkWriteHead(this, handshake.transport.prepareRefusal(handshake, code), reason)
  }
  return this
}

/** The `writeHead` that the response would have without us: its framework's, else Node's. */
export function frameworkWriteHead(
  res: ServerResponse,
  status: number,
  reason?: unknown,
  fields?: HandshakeFields
): ServerResponse {
  const { writeHead } = Object.getPrototypeOf(res) as ServerResponse
  if (typeof reason !== 'string') return Reflect.apply(writeHead, res, [status])
  return Reflect.apply(writeHead, res, fields === undefined ? [status, reason] : [status, reason, fields])
}
