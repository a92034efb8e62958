import { subscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { WebSocket } from '@oneport/core'

/** What the application under test has seen, to compare with the attachment's own counts. */
export const books = {
  /** Requests and handshakes without an end event so far. */
  unfinished: 0,
  /** Sockets without a close event so far. */
  sockets: 0,
  /** Sockets passed to handlers. */
  served: 0
}

/**
 * Called first for each request and each handshake. When a client leaves, Node emits nothing on a response that waits
 * behind others, nor on a request whose parser fails in its body. What looks like a handshake is an ordinary request if
 * its parser does not find the option "Upgrade", as on Node 20 in front of a tab.
 */
export function enter(req: IncomingMessage & { readonly upgrade?: boolean | null }, res: ServerResponse): void {
  let isOver = false
  const leave = (): void => {
    if (!isOver) books.unfinished--
    isOver = true
  }
  books.unfinished++
  res.once('close', leave)
  if (req.upgrade !== true) req.once('close', leave)
}

/** Called first for each socket. */
export function serve(socket: WebSocket): void {
  books.served++
  books.sockets++
  socket.once('close', () => {
    books.sockets--
  })
}

/**
 * Prints events that are reported twice: a handshake is either accepted or refused, once, and a connection closes once.
 */
export function watchReports(): void {
  const settled = new WeakMap<IncomingMessage, string>()
  const closed = new WeakSet<object>()
  for (const outcome of ['accepted', 'refused']) {
    subscribe(`oneport:handshake:${outcome}`, (message) => {
      const { request, code = '' } = message as { request: IncomingMessage; code?: string }
      const before = settled.get(request)
      if (before !== undefined) console.error(`a handshake is ${outcome} ${code} after it was ${before}`)
      settled.set(request, `${outcome} ${code}`)
    })
  }
  subscribe('oneport:connection:closed', (message) => {
    const { socket } = message as { socket: object }
    if (closed.has(socket)) console.error('a connection is closed twice')
    closed.add(socket)
  })
}
