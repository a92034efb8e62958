import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { HandshakeError } from '../errors.ts'
import { frameworkWriteHead, Handshake, handshakeOf, shieldSocket, type Transport } from '../handshake.ts'
import { removeOwnedFields } from '../http-fields.ts'
import { closeAfterReading, closeUnanswered, refuse } from '../refuse.ts'
import { dispatch, ignoreError, type Receiver } from './dispatch.ts'
import type { Sharing } from './sharing.ts'

/** A raw socket with Node's name for the response that it is busy with. */
export interface BusySocket extends Duplex, Partial<Pick<Socket, 'setTimeout' | 'timeout'>> {
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
 * Waits until the responses to requests in front of this one have gone out.
 * Node hands over a pipelined request for an upgrade while they are still being written.
 */
export function afterThoseInFront(rawSocket: BusySocket, run: () => void): void {
  if (rawSocket.destroyed || rawSocket.writableEnded) return
  const inFront = rawSocket._httpMessage
  if (inFront) {
    rawSocket.on('drain', passDrainOn)
    inFront.once('close', () => {
      rawSocket.removeListener('drain', passDrainOn)
      afterThoseInFront(rawSocket, run)
    })
    return
  }
  // A keep-alive timeout of requests in front must not end this one.
  if (rawSocket.timeout) rawSocket.setTimeout?.(0)
  run()
}

/** Takes a handshake to an application, when its turn has come. */
export function receive(receiver: Receiver, arrival: Arrival): void {
  afterThoseInFront(arrival.rawSocket, () => begin(receiver, arrival))
}

function begin(receiver: Receiver, { req, rawSocket, head, sharing, next }: Arrival): void {
  const res = new ServerResponse(req)
  res.shouldKeepAlive = false
  res.on('finish', onFinish)
  res.on('close', onClose)
  const firstFrames = head.length === 0 ? undefined : head
  const handshake = new Handshake(http1, receiver, rawSocket, res, firstFrames, sharing)
  sharing?.begin(handshake, next)
  // What another listener has taken is still shown to the application: if that accepts it too, somebody must be told.
  if (sharing?.taken !== true) res.assignSocket(rawSocket as never)
  dispatch(receiver, handshake)
}

/** How a handshake over HTTP/1.1 is answered. */
export const http1: Transport = {
  switchProtocols(handshake: Handshake, fields): void {
    const { response, rawSocket } = handshake
    // Where nobody else has set any, Node writes the fields as they are.
    const isAlone = response.getHeaderNames().length === 0
    if (!isAlone) {
      removeOwnedFields(response)
      for (let index = 0; index < fields.length; index += 2) {
        response.setHeader(fields[index] as string, fields[index + 1] as string)
      }
    }
    handshake.state = 'accepted'
    frameworkWriteHead(response, 101, 'Switching Protocols', isAlone ? fields : undefined)
    response.flushHeaders()
    response.detachSocket(rawSocket as never)
    shieldSocket(response.req)
  },

  prepareRefusal({ response, rawSocket, isTaken }, status): number {
    if (!isTaken) rawSocket.on('drain', passDrainOn)
    // The parser has let go of this connection: no second request can come on it. RFC 9110 §7.8 wants the option
    // "Upgrade" beside the field of that name.
    response.setHeader('Connection', response.hasHeader('Upgrade') ? 'close, Upgrade' : 'close')
    return status
  },

  refuseInPlaceOf(response: ServerResponse, rawSocket: Duplex, error: HandshakeError): void {
    closeUnanswered(response, rawSocket)
    const answer = new ServerResponse(response.req)
    answer.shouldKeepAlive = false
    answer.assignSocket(rawSocket as never)
    answer.once('finish', () => closeAfterReading(rawSocket))
    refuse(answer, error)
  }
}

/**
 * Passes a raw socket's `drain` on to its response; Node's own listener is gone by now.
 * `writableNeedDrain` would stay true for ever without Node's listener, so it is read from the socket from here on.
 */
function passDrainOn(this: BusySocket): void {
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
