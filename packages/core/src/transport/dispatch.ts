import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { takeBearerToken } from '../bearer.ts'
import { reportingRefusals } from '../check.ts'
import type { Connections } from '../connections.ts'
import { HandshakeError } from '../errors.ts'
import { contain } from '../fault.ts'
import { beginHandshake, Handshake, handshakeOf } from '../handshake.ts'
import type { ResolvedOptions } from '../options.ts'
import { answerFailure, closeAfterReading } from '../reject.ts'
import { validateHost } from '../validate.ts'
import type { Sharing } from './sharing.ts'

/** What takes a handshake from the wire. */
export interface Receiver {
  readonly dispatch: (req: IncomingMessage, res: ServerResponse) => unknown
  readonly options: ResolvedOptions
  readonly connections: Connections
}

/** A raw socket with Node's name for the response that it is busy with. */
export interface BusySocket extends Duplex {
  _httpMessage?: ServerResponse | null
}

/** What Node hands to a listener for `upgrade`. */
export interface Upgrade {
  readonly req: IncomingMessage
  readonly rawSocket: BusySocket
  readonly head: Buffer
}

/** A handshake on its way to one application. */
export interface Arrival extends Upgrade {
  readonly sharing?: Sharing
  /** Begins the turn of the next application, where there is one. */
  readonly next?: (() => void) | undefined
}

/**
 * Waits until the responses to requests in front of this one have gone out, then dispatches it.
 * Node hands over a pipelined handshake while they are still being written.
 */
export function receive(receiver: Receiver, arrival: Arrival): void {
  const { rawSocket } = arrival
  if (rawSocket.destroyed || rawSocket.writableEnded) return
  const inFront = rawSocket._httpMessage
  if (inFront) inFront.once('close', () => receive(receiver, arrival))
  else dispatch(receiver, arrival)
}

function dispatch(
  { dispatch, options, connections }: Receiver,
  { req, rawSocket, head, sharing, next }: Arrival
): void {
  const res = new ServerResponse(req)
  res.shouldKeepAlive = false
  res.on('finish', onFinish)
  res.on('close', onClose)
  const handshake = new Handshake(options, connections, rawSocket, res, head.length === 0 ? undefined : head, sharing)
  beginHandshake(req, handshake)
  sharing?.begin(handshake, next)
  // What another listener has taken is still shown to the application: if that accepts it too, somebody must be told.
  if (sharing?.taken !== true) occupy(rawSocket, res)
  const isFull = connections.pending.size > options.maxPendingHandshakes

  contain(
    () => {
      reportingRefusals(req, {}, () => {
        validateHost(req)
        if (options.bearerSubprotocol !== undefined) takeBearerToken(req, options.bearerSubprotocol)
        if (isFull) throw tooManyWait(options.maxPendingHandshakes)
      })
      return dispatch(req, res)
    },
    (error) => answerFailure(error, res, options.onError)
  )
}

function occupy(rawSocket: BusySocket, res: ServerResponse): void {
  res.assignSocket(rawSocket as never)
  // A keep-alive timeout of requests in front must not end the handshake.
  if ('setTimeout' in rawSocket) (rawSocket as Duplex & { setTimeout(ms: number): void }).setTimeout(0)
}

const tooManyWait = (max: number): HandshakeError =>
  new HandshakeError(
    'HANDSHAKE_UNAVAILABLE',
    'The server is busy; try again in a few seconds.',
    `maxPendingHandshakes is ${max}`
  )

/** The socket is destroyed by itself after an error, and `close` tells whoever waits. */
export function ignoreError(): void {}

/**
 * Passes a raw socket's `drain` on to its response; Node's own listener is gone by now.
 * `writableNeedDrain` would stay true for ever without Node's listener, so it is read from the socket from here on.
 */
export function passDrainOn(this: BusySocket): void {
  const res = this._httpMessage
  if (!res || res.writableEnded) return
  Object.defineProperty(res, 'writableNeedDrain', {
    configurable: true,
    get: () => this.writableNeedDrain
  })
  res.emit('drain')
}

function onFinish(this: ServerResponse): void {
  const handshake = handshakeOf(this.req)
  if (handshake?.response !== this) return
  if (handshake.state === 'accepted') {
    handshake.rawSocket.removeListener('drain', passDrainOn)
    // `ws` has its own by now.
    handshake.rawSocket.removeListener('error', ignoreError)
    // The response is over, and late writes to it must stay silent; logs wait for these events.
    ;(this as { destroyed: boolean }).destroyed = true
    process.nextTick(emitClose, this)
  } else {
    handshake.end()
    closeAfterReading(handshake.rawSocket)
  }
}

function onClose(this: ServerResponse): void {
  const handshake = handshakeOf(this.req)
  // Where an application left the handshake to the next one, its response closes later.
  if (handshake?.response === this) handshake.end()
}

function emitClose(res: ServerResponse): void {
  res.emit('close')
}
