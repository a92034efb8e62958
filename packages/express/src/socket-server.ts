import { EventEmitter } from 'node:events'
import type { WebSocket } from '@oneport/core'
import type { Request } from 'express'

interface Events {
  connection: [socket: WebSocket, req: Request]
  close: []
}

/** What is left of a `WebSocketServer` of `ws`: its clients, and what it tells of them. */
export interface SocketServer extends EventEmitter<Events> {
  /** The open sockets of all routes. */
  readonly clients: Set<WebSocket>
  /** Ends every connection and takes no new ones; the callback comes in the next tick. The http server goes on. */
  close(callback?: () => void): void
}

/** Events of `ws` that do not come here, and what to use instead. */
const insteadOfEvent: ReadonlyMap<unknown, string> = new Map([
  ['headers', 'res.set() in middleware; the 101 carries what it sets'],
  ['wsClientError', 'the option onRefused']
])

/** The sockets that routes have accepted. */
export class ClientsOfRoutes extends EventEmitter<Events> implements SocketServer {
  readonly clients = new Set<WebSocket>()
  /** Whether handshakes are ordinary requests again. */
  isClosed = false

  constructor() {
    super({ captureRejections: true })
    ;(this as EventEmitter).on('newListener', (event: string) => {
      const instead = insteadOfEvent.get(event)
      if (instead !== undefined) throw new TypeError(`expressWs: '${event}' is not emitted here; use ${instead}`)
    })
  }

  add(socket: WebSocket, req: Request): void {
    this.clients.add(socket)
    socket.once('close', () => this.clients.delete(socket))
    this.emit('connection', socket, req)
  }

  /** An async listener for `connection` rejects: a fault of this one connection, as if it listened on the socket. */
  override [EventEmitter.captureRejectionSymbol](error: Error, event: unknown, ...args: unknown[]): void {
    if (event !== 'connection') throw error
    const [socket] = args as Events['connection']
    socket[EventEmitter.captureRejectionSymbol]?.(error, event, ...args)
  }

  close(callback?: () => void): void {
    this.isClosed = true
    if (callback !== undefined) this.once('close', callback)
    for (const client of this.clients) client.terminate()
    process.nextTick(() => this.emit('close'))
  }
}
