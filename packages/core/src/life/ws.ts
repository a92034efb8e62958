/**
 * `ws` at run time, and what of it is used beside its documentation. Nothing else imports it but for types.
 */
import type { Writable } from 'node:stream'
import { WebSocket, WebSocketServer } from 'ws'

export { WebSocket, WebSocketServer }

interface Internals {
  _receiver: Writable
  _sender: { _queue?: ArrayLike<unknown> }
  _closeFrameReceived?: boolean
  _closeCode: number
  emitClose(): void
}

const internalsOf = (socket: WebSocket): Internals => socket as unknown as Internals

/** The stream that parses frames. */
export const receiverOf = (socket: WebSocket): Writable => internalsOf(socket)._receiver

/** `ws` answers the client's close frame by calling `close()` itself, and tells it in this field alone. */
export const hasReceivedClose = (socket: WebSocket): boolean => internalsOf(socket)._closeFrameReceived === true

/** Messages that wait in the sender for the compression of one in front of them. */
export const queuedInSender = (socket: WebSocket): number => internalsOf(socket)._sender._queue?.length ?? 0

/** What `ws` calls at the end of a connection: it emits `close`. */
export const emitClose = (socket: WebSocket): void =>
  (WebSocket.prototype as unknown as Internals).emitClose.call(socket)

/** The close code that `close` is emitted with. */
export const closeCodeOf = (socket: WebSocket): number => internalsOf(socket)._closeCode
