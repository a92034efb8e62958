import type { ServerResponse } from 'node:http'
import { ServerResponse as NodeResponse } from 'node:http'
import type { HandshakeError } from '../errors.ts'
import { frameworkWriteHead, Handshake, handshakeOf, type Transport } from '../handshake.ts'
import { dropBody, responseOn, writeToRawSocket } from '../node.ts'
import { refuse } from '../refuse.ts'
import { dispatch, type Receiver } from './dispatch.ts'
import { abortRequest, closeFinished, closeResponse, detach, endRequest, ignoreError } from './events.ts'
import { presetHead } from './http1-head.ts'
import { passDrainOn } from './queue.ts'
import type { BusySocket, RawSocket } from './raw-socket.ts'
import type { MakeResponse } from './response-class.ts'
import type { Sharing } from './sharing.ts'

/** Creates the response to a handshake and dispatches it to an application. */
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
  receiver.options.prepare?.(req, res)
  const handshake = new Handshake(http1, receiver, rawSocket, res, sharing)
  sharing?.begin(handshake)
  // The application also sees a handshake that another listener has taken: if it accepts it too, we report the
  // conflict.
  if (sharing?.taken !== true) res.assignSocket(stream as never)
  dispatch(receiver, handshake)
}

/** Answers handshakes over HTTP/1.1. */
export const http1: Transport = {
  switchProtocols(handshake): void {
    const { response, rawSocket } = handshake
    presetHead(handshake)
    frameworkWriteHead(response, 101, 'Switching Protocols')
    response.flushHeaders()
    detach(response, rawSocket.stream)
    dropBody(response)
    // Late writes go nowhere, and their errors must not end the process.
    response.on('error', ignoreError)
  },

  prepareRefusal({ response, rawSocket, isTaken }, status): number {
    if (!isTaken) rawSocket.stream.on('drain', passDrainOn)
    // Node's parser is detached, so this connection cannot carry another request. A response with the field `Upgrade`
    // needs the connection option of that name (RFC 9110 §7.8).
    response.setHeader('Connection', response.hasHeader('Upgrade') ? 'close, Upgrade' : 'close')
    return status
  },

  refuseInPlaceOf({ response, rawSocket }, error: HandshakeError): void {
    const { stream } = rawSocket
    part(response, stream)
    if (responseOn(stream) !== undefined) {
      // The application has assigned a response of its own to the socket, and has not ended it.
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
    // A response that is held back has no raw socket that would close it.
    if (response.socket === null) closeResponse(response)
  }
}

function part(response: ServerResponse, stream: BusySocket): void {
  if (response.socket !== null && responseOn(stream) === response) detach(response, stream)
  closeResponse(response)
}

/** The first `finish` listener of each response, like Node's own. */
function onFinish(this: ServerResponse): void {
  const handshake = handshakeOf(this.req)
  if (handshake?.response !== this) return
  const { stream } = handshake.rawSocket
  if (handshake.state === 'accepted') {
    // Node does not emit this for a response without a socket.
    this.emit('prefinish')
    // `ws` has added its own.
    stream.removeListener('error', ignoreError)
  } else {
    if (responseOn(stream) === this) this.detachSocket(stream as never)
    handshake.finished()
    handshake.rawSocket.linger()
  }
  endRequest(this.req)
  closeFinished(this)
}
