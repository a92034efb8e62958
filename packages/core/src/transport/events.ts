/** The events that Node's parser and its responses would emit, had the parser not let go of the connection. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

/**
 * Lets a request end as one whose response is written: nobody has read its body, which has no bytes. Node's server does
 * so at `finish`.
 */
export function endRequest(req: IncomingMessage): void {
  if (req.readableFlowing === null && !req.destroyed) req.resume()
}

/** Lets a request end as one whose client has left: `aborted`, and an `error` where somebody listens for it. */
export function abortRequest(req: IncomingMessage): void {
  if (!req.destroyed) req.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }))
}

/**
 * Parts a response and its raw socket. Node corks the raw socket of a response that ends, then asks for the head if there is
 * none yet, and uncorks what the response has afterwards: nothing, where the head has parted them. An application may cork
 * a response as well.
 */
export function detach(res: ServerResponse, stream: Duplex): void {
  res.detachSocket(stream as never)
  while (stream.writableCorked > 0) stream.uncork()
}

/**
 * Ends a response that has no raw socket any more: what the application still writes goes nowhere. It would throw if the
 * response had begun; in an async route of Express 4 this ends the process.
 */
export function closeResponse(res: ServerResponse): void {
  if (res.destroyed) return
  ;(res as { destroyed: boolean }).destroyed = true
  process.nextTick(emitClose, res)
}

/** Ends a response that is written, as Node's server does: it is destroyed a moment after it has finished. */
export function closeFinished(res: ServerResponse): void {
  process.nextTick(destroyFinished, res)
}

function destroyFinished(res: ServerResponse): void {
  if (res.destroyed) return
  ;(res as { destroyed: boolean }).destroyed = true
  emitClose(res)
}

function emitClose(res: ServerResponse): void {
  res.emit('close')
}

/** The socket is destroyed by itself after an error, and `close` tells whoever waits. */
export function ignoreError(): void {}
