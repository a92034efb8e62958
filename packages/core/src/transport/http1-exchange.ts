import type { ServerResponse } from 'node:http'
import { ServerResponse as NodeResponse } from 'node:http'
import type { HandshakeError } from '../errors.ts'
import { frameworkWriteHead, Handshake, handshakeOf, type Transport } from '../handshake.ts'
import { removeOwnedFields } from '../http-fields.ts'
import { dropBody, responseOn, writeToRawSocket } from '../node.ts'
import { refuse } from '../refuse.ts'
import { dispatch, type Receiver } from './dispatch.ts'
import { abortRequest, closeFinished, closeResponse, detach, endRequest, ignoreError } from './events.ts'
import { passDrainOn } from './queue.ts'
import type { BusySocket, RawSocket } from './raw-socket.ts'
import { type MakeResponse, watchHeadersSent } from './response-class.ts'
import type { Sharing } from './sharing.ts'

/** Takes a handshake to an application. */
export function receive(
  receiver: Receiver,
  req: ServerResponse['req'],
  rawSocket: RawSocket,
  makeResponse: MakeResponse,
  sharing?: Sharing
): void {
  const { stream } = rawSocket
  const res = makeResponse(req)
  res.shouldKeepAlive = false
  res.on('finish', onFinish)
  const handshake = new Handshake(http1, receiver, rawSocket, res, sharing)
  sharing?.begin(handshake)
  // What another listener has taken is still shown to the application: if that accepts it too, somebody must be told.
  if (sharing?.taken !== true) res.assignSocket(stream as never)
  dispatch(receiver, handshake)
}

/**
 * Keeps a raw socket from a framework that ends the connection of a request which fails behind its 101: it asks first
 * whether the head is sent.
 */
export const shield = (req: ServerResponse['req']): void => handshakeOf(req)?.shield()

/** How a handshake over HTTP/1.1 is answered. */
export const http1: Transport = {
  switchProtocols({ response, rawSocket }, fields): void {
    // Where nobody else has set any, Node writes the fields as they are.
    const isAlone = response.getHeaderNames().length === 0
    if (!isAlone) {
      removeOwnedFields(response)
      for (let index = 0; index < fields.length; index += 2) {
        response.setHeader(fields[index] as string, fields[index + 1] as string)
      }
    }
    // Deno (2.9) would add it: to its responses a 101 has a body. RFC 9112 §6.1
    response.removeHeader('Transfer-Encoding')
    frameworkWriteHead(response, 101, 'Switching Protocols', isAlone ? fields : undefined)
    response.flushHeaders()
    detach(response, rawSocket.stream)
    dropBody(response)
    // Late writes to it go nowhere, and must not end the process.
    response.on('error', ignoreError)
    watchHeadersSent(response, shield)
  },

  prepareRefusal({ response, rawSocket, isTaken }, status): number {
    if (!isTaken) rawSocket.stream.on('drain', passDrainOn)
    // The parser has let go of this connection: no second request can come on it. RFC 9110 §7.8 wants the option
    // "Upgrade" beside the field of that name.
    response.setHeader('Connection', response.hasHeader('Upgrade') ? 'close, Upgrade' : 'close')
    return status
  },

  refuseInPlaceOf({ response, rawSocket }, error: HandshakeError): void {
    const { stream } = rawSocket
    part(response, stream)
    if (responseOn(stream) !== undefined) {
      // The application has put a response of its own in its place, and will not end it.
      rawSocket.destroy()
      return
    }
    const answer = writeToRawSocket(new NodeResponse(response.req))
    answer.shouldKeepAlive = false
    answer.assignSocket(stream as never)
    answer.once('finish', () => {
      answer.detachSocket(stream as never)
      rawSocket.linger()
    })
    refuse(answer, error)
  },

  part({ response, rawSocket }): void {
    part(response, rawSocket.stream)
  },

  abort({ response }): void {
    if (response.writableFinished) return
    abortRequest(response.req)
    // One that is kept has no raw socket to tell it.
    if (response.socket === null) closeResponse(response)
  }
}

function part(response: ServerResponse, stream: BusySocket): void {
  if (response.socket !== null && responseOn(stream) === response) detach(response, stream)
  closeResponse(response)
}

/** The first listener of each response, as Node's own is. */
function onFinish(this: ServerResponse): void {
  const handshake = handshakeOf(this.req)
  if (handshake?.response !== this) return
  const { stream } = handshake.rawSocket
  if (handshake.state === 'accepted') {
    // Without a raw socket a response leaves this out.
    this.emit('prefinish')
    // `ws` has its own by now.
    stream.removeListener('error', ignoreError)
  } else {
    if (responseOn(stream) === this) this.detachSocket(stream as never)
    handshake.finished()
    handshake.rawSocket.linger()
  }
  endRequest(this.req)
  closeFinished(this)
}
