import { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { WebSocket } from '../websocket.ts'

/** Events of a {@link SocketServer}. */
export interface SocketServerEvents<Req extends IncomingMessage> {
  connection: [socket: WebSocket, req: Req]
  close: []
}

/**
 * What applications use of a `WebSocketServer` of `ws`. It emits `connection` with each accepted socket, and `close`
 * when it has been closed and the last client has gone.
 */
export interface SocketServer<Req extends IncomingMessage = IncomingMessage>
  extends EventEmitter<SocketServerEvents<Req>> {
  /** The open sockets, for reading; undefined where `clientTracking` is false, as with `ws`. */
  readonly clients: Set<WebSocket>
  /**
   * Takes no more handshakes.
   * @param callback called when the last client has gone; with an error where this was called before
   */
  close(callback?: (error?: Error) => void): void
}

/** How one adapter plays a `WebSocketServer`. */
export interface SocketServerOptions {
  /** @default true */
  readonly clientTracking?: boolean | undefined
  /** Events of `ws` that never come here, and what to use instead. */
  readonly instead: ReadonlyMap<unknown, string>
  /** Called by the first `close()`, to take no more handshakes; `ws` 7 also ends the clients, `ws` 8 does not. */
  stop(clients: ReadonlySet<WebSocket>): void
}

/** Makes a {@link SocketServer}, to which an adapter adds the sockets that it accepts. */
export class AdaptedSocketServer<Req extends IncomingMessage = IncomingMessage>
  extends EventEmitter<SocketServerEvents<Req>>
  implements SocketServer<Req>
{
  readonly clients: Set<WebSocket>
  readonly #open = new Set<WebSocket>()
  readonly #stop: SocketServerOptions['stop']
  #state: 'open' | 'closing' | 'closed' = 'open'

  constructor({ clientTracking = true, instead, stop }: SocketServerOptions) {
    super({ captureRejections: true })
    // The types of `ws` leave out that there may be none.
    this.clients = (clientTracking ? this.#open : undefined) as Set<WebSocket>
    this.#stop = stop
    // A listener that would never be called hides a mistake.
    ;(this as EventEmitter).on('newListener', (event: unknown) => {
      const hint = instead.get(event)
      if (hint !== undefined) throw new TypeError(`There is no event '${event}' here; ${hint}`)
    })
  }

  /** Emits `connection`, and keeps the socket among the clients for as long as it is open. */
  add(socket: WebSocket, req: Req): void {
    this.#open.add(socket)
    socket.once('close', () => {
      this.#open.delete(socket)
      this.#endIfEmpty()
    })
    this.emit('connection', socket, req)
  }

  close(callback?: (error?: Error) => void): void {
    if (this.#state !== 'open') {
      process.nextTick(() => callback?.(new Error('The server is not running')))
      return
    }
    this.#state = 'closing'
    if (callback !== undefined) this.once('close', callback)
    this.#stop(this.#open)
    this.#endIfEmpty()
  }

  #endIfEmpty(): void {
    process.nextTick(() => {
      if (this.#state !== 'closing' || this.#open.size > 0) return
      this.#state = 'closed'
      this.emit('close')
    })
  }

  /** An async listener for `connection` rejects: a fault of this one connection, as if it listened on the socket. */
  override [EventEmitter.captureRejectionSymbol](error: Error, event: unknown, ...args: unknown[]): void {
    if (event !== 'connection') throw error
    const [socket] = args as SocketServerEvents<Req>['connection']
    socket[EventEmitter.captureRejectionSymbol]?.(error, event, ...args)
  }
}
