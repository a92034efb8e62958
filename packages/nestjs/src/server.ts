import { EventEmitter } from 'node:events'
import type { WebSocket } from '@oneport/core'
import type { FrameworkRequest } from './framework.ts'

/**
 * What `@WebSocketServer()` injects: all connections of the gateways on one path. Like the server of `ws`, it has
 * `clients`, and emits `connection` with the socket and the request.
 */
export class GatewayServer extends EventEmitter {
  /** The path of the gateways. */
  readonly path: string
  /** The open sockets. */
  readonly clients: ReadonlySet<WebSocket>
  readonly #clients = new Set<WebSocket>()

  /** Used by `OneportAdapter`. */
  constructor(path: string) {
    super()
    this.path = path
    this.clients = this.#clients
  }

  /** Adds a socket that has just opened, and tells the gateways. */
  static open(server: GatewayServer, socket: WebSocket, request: FrameworkRequest): void {
    server.#clients.add(socket)
    socket.once('close', () => server.#clients.delete(socket))
    // NestJS 11 emits its answer to a `WsException` on the socket; NestJS 12 sends it.
    socket.on('exception', (data: unknown) => socket.send(JSON.stringify({ event: 'exception', data })))
    server.emit('connection', socket, request)
  }
}
