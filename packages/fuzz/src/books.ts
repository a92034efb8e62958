import { subscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { WebSocket } from '@oneport/core'

/** What the application of a server under test has seen, to compare with what the attachment says. */
export const books = {
  /** Requests and handshakes whose end the application has not been told. */
  unfinished: 0,
  /** Sockets that have not told their end. */
  sockets: 0,
  /** Sockets that handlers got. */
  served: 0
}

/**
 * Called for each request and each handshake, first of all. Where a client leaves, Node does not tell a response that waits
 * behind others, nor a request whose parser fails in its body. What looks like a handshake is an ordinary request where its
 * parser does not find the option "Upgrade", as Node 20 in front of a tab.
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

/** Called for each socket, first of all. */
export function serve(socket: WebSocket): void {
  books.served++
  books.sockets++
  socket.once('close', () => {
    books.sockets--
  })
}

/** Prints what is told twice: a handshake is accepted or refused, once, and a connection ends once. */
export function watchReports(): void {
  const settled = new WeakMap<IncomingMessage, string>()
  const closed = new WeakSet<object>()
  for (const outcome of ['accepted', 'refused']) {
    subscribe(`oneport:handshake:${outcome}`, (message) => {
      const { request, code = '' } = message as { request: IncomingMessage; code?: string }
      const before = settled.get(request)
      if (before !== undefined) console.error(`a handshake is ${outcome} ${code}, and was ${before} before`)
      settled.set(request, `${outcome} ${code}`)
    })
  }
  subscribe('oneport:connection:closed', (message) => {
    const { socket } = message as { socket: object }
    if (closed.has(socket)) console.error('a connection is closed twice')
    closed.add(socket)
  })
}
