/**
 * Events that Node's HTTP server normally emits on requests and responses. It does not after `upgrade`, because it has
 * detached its parser from the connection.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

/**
 * Lets a request end when its response has been written. Like Node's server at `finish`, it resumes a request that
 * nothing has read; the body is empty. Only if something listens for the end: it takes four more turns of the queue of
 * ticks.
 */
export function endRequest(req: IncomingMessage): void {
  const isAwaited = req.listenerCount('end') > 0 || req.listenerCount('close') > 0
  if (isAwaited && req.readableFlowing === null && !req.destroyed) req.resume()
}

/** Ends a request whose client has left: it emits `aborted`, and `error` if something listens for it. */
export function abortRequest(req: IncomingMessage): void {
  if (!req.destroyed) req.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }))
}

/**
 * Detaches a response from its raw socket, and uncorks the socket. When a response ends, Node corks its socket, then
 * writes the head if that is still missing, then uncorks the response's socket: if writing the head has detached it,
 * there is none left to uncork. Applications can cork a response too.
 */
export function detach(res: ServerResponse, stream: Duplex): void {
  res.detachSocket(stream as never)
  while (stream.writableCorked > 0) stream.uncork()
}

/**
 * Closes a response that no longer has a raw socket, so that late writes go nowhere. Otherwise they would throw once
 * the response has begun, and in an async route of Express 4 that ends the process.
 */
export function closeResponse(res: ServerResponse): void {
  if (res.destroyed) return
  ;(res as { destroyed: boolean }).destroyed = true
  process.nextTick(emitClose, res)
}

/** Closes a finished response on the next tick, as Node's server does. */
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

/** For `error` events. Nothing to do: the socket destroys itself, and `close` follows. */
export function ignoreError(): void {}
