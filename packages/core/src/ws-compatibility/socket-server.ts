import { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { WebSocket } from '../websocket.ts'

/** Events of a {@link SocketServer}. */
export interface SocketServerEvents<Req extends IncomingMessage> {
  /** A socket was accepted. */
  connection: [socket: WebSocket, req: Req]
  /** `close()` was called, and the last client has disconnected. */
  close: []
}

/**
 * What applications use of a `WebSocketServer` of `ws`. Emits `connection` with each accepted socket, and `close` after
 * `close()`, when the last client has disconnected.
 */
export interface SocketServer<Req extends IncomingMessage = IncomingMessage>
  extends EventEmitter<SocketServerEvents<Req>> {
  /** The open sockets. Do not change the set. Undefined if `clientTracking` is false, as in `ws`. */
  readonly clients: Set<WebSocket>
  /**
   * Stops accepting handshakes.
   * @param callback called when the last client has disconnected, or with an error if the server was already closed
   */
  close(callback?: (error?: Error) => void): void
}

/** What differs between adapters. */
export interface SocketServerOptions {
  /**
   * Whether the server has `clients`.
   * @default true
   */
  readonly clientTracking?: boolean | undefined
  /** Events of `ws` that are not emitted here, each with what to use instead. */
  readonly instead: ReadonlyMap<unknown, string>
  /**
   * Called by the first `close()`, to stop accepting handshakes. `ws` 7 also terminates the clients, `ws` 8 does not.
   */
  stop(clients: ReadonlySet<WebSocket>): void
}

/** A {@link SocketServer}. The adapter adds the sockets that it accepts, and emits `connection` for each. */
export class AdaptedSocketServer<Req extends IncomingMessage = IncomingMessage>
  extends EventEmitter<SocketServerEvents<Req>>
  implements SocketServer<Req>
{
  /** The open sockets. Do not change the set. Undefined if `clientTracking` is false, as in `ws`. */
  readonly clients: Set<WebSocket>
  readonly #open = new Set<WebSocket>()
  readonly #stop: SocketServerOptions['stop']
  #state: 'open' | 'closing' | 'closed' = 'open'

  /** Creates a server without sockets. */
  constructor({ clientTracking = true, instead, stop }: SocketServerOptions) {
    super({ captureRejections: true })
    // In the types of `ws`, `clients` is never undefined.
    this.clients = (clientTracking ? this.#open : undefined) as Set<WebSocket>
    this.#stop = stop
    // Throw for a listener that would never be called.
    ;(this as EventEmitter).on('newListener', (event: unknown) => {
      const hint = instead.get(event)
      if (hint !== undefined) throw new TypeError(`There is no event '${event}' here; ${hint}`)
    })
  }

  /**
   * Adds a socket to `clients` until it closes. As in `ws`, call this before any other code has the socket: then its
   * handler finds it in `clients`, and its `close` listeners do not.
   */
  add(socket: WebSocket): void {
    this.#open.add(socket)
    socket.once('close', () => {
      this.#open.delete(socket)
      this.#endIfEmpty()
    })
  }

  /**
   * Stops accepting handshakes.
   * @param callback called when the last client has disconnected, or with an error if the server was already closed
   */
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

  /** An async `connection` listener that rejects is a fault of that connection, like a listener on the socket. */
  override [EventEmitter.captureRejectionSymbol](error: Error, event: unknown, ...args: unknown[]): void {
    if (event !== 'connection') throw error
    const [socket] = args as SocketServerEvents<Req>['connection']
    socket[EventEmitter.captureRejectionSymbol]?.(error, event, ...args)
  }
}
