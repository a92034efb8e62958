import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { HandshakeError, quote } from './errors.ts'
import { type HandshakeFields, type HeadFields, setFields } from './http-fields.ts'
import type { Connections } from './life/connections.ts'
import type { Waiting } from './life/pending-handshakes.ts'
import type { ResolvedOptions } from './options/server.ts'
import { closeUnanswered } from './refuse.ts'
import { pathOf } from './reports/facts.ts'

/** A request of HTTP/1.1, or one of HTTP/2 in the shape that Node gives it for compatibility. */
export type HandshakeRequest = IncomingMessage | Http2ServerRequest

/** The response to a {@link HandshakeRequest}. */
export type HandshakeResponse = ServerResponse | Http2ServerResponse

/** What happens once the response has its status: `open` on 101, `abandon` on any other. */
export interface Acceptance {
  /** @returns false where the client has gone meanwhile; then `abandon` follows */
  open(): boolean
  abandon(): void
}

/** In what the versions of HTTP differ once a handshake is answered. */
export interface Transport {
  /** Puts the head that accepts on the wire, with the fields that `ws` asks for, and parts response and raw socket. */
  switchProtocols(handshake: Handshake, fields: HandshakeFields): void
  /** Prepares the head of any other answer. @returns its status */
  prepareRefusal(handshake: Handshake, status: number): number
  /** Refuses in place of an application that has not answered in time, and lets its response write nothing more. */
  refuseInPlaceOf(response: ServerResponse, rawSocket: Duplex, error: HandshakeError): void
}

/** What a handshake belongs to. */
export interface HandshakeOwner {
  readonly options: ResolvedOptions
  readonly connections: Connections
}

/** Others on the same server who may take the handshake. */
export interface Sharing {
  /** Whether one has. */
  readonly taken: boolean
  /** Decides what becomes of an answer; returns whether it goes out now. */
  answer(status: number): boolean
  /** Sends a 404 that was kept until it was clear that nobody takes the handshake; false where there is none. */
  sendKept(): boolean
}

/**
 * The state of one opening handshake: pending, then accepted or refused, once.
 *
 * The way out is the response's own `writeHead`, whoever calls it: 101 hands the raw socket to `ws`, every other
 * status is an ordinary response after which the connection ends.
 */
export class Handshake implements Waiting {
  state: 'pending' | 'accepted' | 'refused' = 'pending'
  readonly transport: Transport
  readonly options: ResolvedOptions
  readonly connections: Connections
  readonly rawSocket: Duplex
  readonly response: ServerResponse
  /** The path of its URL, as it came: routers may change `req.url`. */
  readonly path: string
  /** When it came, by `performance.now()`. */
  readonly since: number = performance.now()
  due: number | undefined
  inFront: Waiting | undefined
  behind: Waiting | undefined
  /** Bytes that came with the handshake: the first frames. Undefined where none did. */
  readonly head: Buffer | undefined
  /** Undefined where nobody else listens for handshakes. */
  readonly #sharing: Sharing | undefined
  #acceptance: Acceptance | undefined
  #bytesWritten = -1
  #status: number | undefined

  constructor(
    transport: Transport,
    { options, connections }: HandshakeOwner,
    rawSocket: Duplex,
    response: ServerResponse,
    head?: Buffer,
    sharing?: Sharing
  ) {
    this.transport = transport
    this.options = options
    this.connections = connections
    this.rawSocket = rawSocket
    this.response = response
    this.head = head
    this.#sharing = sharing
    this.path = pathOf(response.req.url as string)
    connections.enter(this)
  }

  /** Whether another listener for `upgrade` has taken the raw socket. */
  get isTaken(): boolean {
    return this.#sharing?.taken === true
  }

  /** Lets the next 101 of the response go out. */
  accept(acceptance: Acceptance): void {
    if (this.#acceptance !== undefined || this.state === 'accepted') {
      throw new Error('acceptWebSocket() was called twice for one request.')
    }
    if (this.state === 'refused') {
      throw new Error(`acceptWebSocket() came after the response had begun with status ${this.#status}.`)
    }
    this.#acceptance = acceptance
  }

  /** Called when the response is over, or its connection is. */
  end(): void {
    this.connections.pending.delete(this)
    this.connections.leave()
    if (this.state === 'pending') this.state = 'refused'
    this.#acceptance?.abandon()
    this.#acceptance = undefined
  }

  /** Closes the response as if the client had gone: the raw socket is another's. */
  discard(): void {
    this.end()
    closeUnanswered(this.response, this.rawSocket)
  }

  /** Answers 503 where the application has not answered; ends an answer that the client does not read. */
  expire(): boolean {
    const { rawSocket, response } = this
    if (this.#sharing?.sendKept() === true) return true
    if (this.isTaken) {
      this.discard()
      return false
    }
    if (this.state === 'pending') {
      const error = new HandshakeError('HANDSHAKE_TIMEOUT', 'The server took too long to answer; try again.')
      this.#report(error)
      this.settle(error.status)
      this.transport.refuseInPlaceOf(response, rawSocket, error)
      return true
    }
    const { bytesWritten = 0 } = rawSocket as Duplex & { bytesWritten?: number }
    const isMoving = bytesWritten !== this.#bytesWritten
    this.#bytesWritten = bytesWritten
    if (!isMoving) rawSocket.destroy()
    return isMoving
  }

  /** Called by the response's `writeHead` with the status that is about to be written. */
  settle(status: number): void {
    const acceptance = this.#acceptance
    if (status === 101 && acceptance === undefined) {
      throw new Error('Status 101 was written by hand; call acceptWebSocket() instead.')
    }
    if (this.#sharing?.answer(status) === false) {
      if (this.isTaken && acceptance !== undefined) this.#report(conflict(this))
      this.#refuse(status)
      return
    }
    // Where opening throws, the acceptance stays, and the answer to that fault abandons it.
    const opened = status === 101 && acceptance?.open() === true
    if (opened) {
      this.#acceptance = undefined
      this.connections.pending.delete(this)
    } else {
      this.#refuse(status)
    }
  }

  #report(error: HandshakeError): void {
    const { req } = this.response
    this.connections.stats.refused(error, req, this.since)
    this.options.onRefused(error, req)
  }

  #refuse(status: number): void {
    const acceptance = this.#acceptance
    this.#acceptance = undefined
    this.state = 'refused'
    this.#status = status
    acceptance?.abandon()
  }
}

/** Two listeners for `upgrade` accepted one handshake. */
export const conflict = ({ path }: Handshake): HandshakeError =>
  new HandshakeError(
    'HANDSHAKE_CONFLICT',
    'Another listener of this server has answered this handshake.',
    `acceptWebSocket() was called for ${quote(path)}, but another listener for "upgrade" on this server has ` +
      'answered 101 already. Give that one a path of its own (with ws: new WebSocketServer({ server, path }))'
  )

/** Servers that are attached. */
export const attachedServers: WeakSet<object> = new WeakSet()

/**
 * Where a request has its handshake. Not in a WeakMap: when V8 collects its young objects, it takes the values of one
 * for alive, so that each handshake with all that it refers to would be copied and kept until the next full collection.
 */
const key = Symbol('oneport.handshake')

/** The handshake that a request belongs to; undefined for an ordinary request. */
export const handshakeOf = (req: IncomingMessage & { [key]?: Handshake }): Handshake | undefined => req[key]

/**
 * Ties a handshake to its request and takes over the response's `writeHead`.
 *
 * It is an own property of this one response: Express gives `req` and `res` new prototypes, so a subclass of
 * `ServerResponse` would lose its methods, and prototypes that others share stay as they are.
 */
export function beginHandshake(req: IncomingMessage & { [key]?: Handshake }, handshake: Handshake): void {
  req[key] = handshake
  handshake.response.writeHead = writeHead as ServerResponse['writeHead']
}

function writeHead(
  this: ServerResponse,
  status: number,
  reason?: string | HeadFields,
  fields?: HeadFields
): ServerResponse {
  const handshake = handshakeOf(this.req)
  if (handshake?.state !== 'pending' || handshake.response !== this) return frameworkWriteHead(this, status, reason)
  const given = typeof reason === 'string' ? fields : (fields ?? reason)
  if (given !== undefined) setFields(this, given)
  handshake.settle(status)
  if (status !== 101) {
    frameworkWriteHead(this, handshake.transport.prepareRefusal(handshake, status), reason)
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

/**
 * Frameworks end the connection of a request whose response has begun and then fails: Express calls
 * `req.socket.destroy()`. Behind a 101 that would end the WebSocket, so the request gets a view of its socket that has
 * everything but this. The handler ends a connection with `close()` or `terminate()`.
 */
export function shieldSocket(req: IncomingMessage): void {
  const shield = new Proxy(req.socket, withoutDestroy)
  // On HTTP/2 it has no setter.
  if (Object.hasOwn(req, 'socket')) req.socket = shield
  else Object.defineProperty(req, 'socket', { configurable: true, value: shield })
}

const withoutDestroy: ProxyHandler<Socket> = {
  get(socket, name) {
    if (name === 'destroy' || name === 'destroySoon') return () => socket
    const value: unknown = Reflect.get(socket, name, socket)
    return typeof value === 'function' ? value.bind(socket) : value
  },
  set: (socket, name, value) => Reflect.set(socket, name, value, socket)
}
