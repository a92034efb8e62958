import { EventEmitter } from 'node:events'
import type { WebSocket } from '@oneport/core'

/**
 * What `@WebSocketServer()` injects: all connections of the gateways on one path. Like the server of `ws`, it has
 * `clients`, emits `connection` with the socket and the request, and `close` when the application closes.
 */
export class GatewayServer extends EventEmitter {
  /** The path of the gateways. */
  readonly path: string
  /** The open sockets. */
  readonly clients: ReadonlySet<WebSocket> = new Set()

  /** `OneportAdapter` creates it. */
  constructor(path: string) {
    super()
    this.path = path
  }
}

/** Adds a socket that has just opened, and tells the gateways. */
export function openOn(server: GatewayServer, socket: WebSocket, request: unknown): void {
  const clients = server.clients as Set<WebSocket>
  clients.add(socket)
  socket.once('close', () => clients.delete(socket))
  // NestJS 11 emits its answer to a `WsException` on the socket; NestJS 12 sends it.
  socket.on('exception', (data: unknown) => socket.send(JSON.stringify({ event: 'exception', data })))
  server.emit('connection', socket, request)
}
