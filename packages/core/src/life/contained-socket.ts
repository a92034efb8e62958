import { EventEmitter } from 'node:events'
import type { Connection } from './connection.ts'
import { type EventHandler, registerContained } from './event-handlers.ts'
import { CapturingWebSocket, captureRejections } from './rejections.ts'
import { closeCodeOf, emitClose } from './ws.ts'

/**
 * The `ws.WebSocket` that an application gets. Its events and writes go through its connection first, which reports
 * what listeners throw, holds messages back until there is a listener, and limits what waits for the client.
 *
 * It has no public name that a socket of `ws` does not have. Any other property on it belongs to the application.
 */
export class ContainedWebSocket extends CapturingWebSocket {
  #connection: Connection | undefined

  constructor(address: null, protocols: undefined, options: object) {
    super(address as never, protocols, options as never)
    captureRejections(this)
  }

  /** Ties a socket to its connection, once. */
  static tie(socket: ContainedWebSocket, connection: Connection): void {
    socket.#connection = connection
  }

  /** The connection of a socket; undefined for a socket that is not ours. */
  static connectionOf(socket: object): Connection | undefined {
    return #connection in socket ? socket.#connection : undefined
  }

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    const connection = this.#connection
    if (connection === undefined) return super.emit(event, ...args)
    if (!connection.passes(event, args)) return false
    try {
      if (connection.isReading) return super.emit(event, ...args)
      return connection.context.runInAsyncScope(super.emit, this, event, ...args)
    } catch (error) {
      connection.fail(error, 'listener')
      return true
    }
  }

  /** The setters of `onmessage` and the like call this too. */
  override addEventListener(type: string, handler: unknown, options?: object): void {
    const register = (given: EventHandler): void => super.addEventListener(type as never, given as never, options)
    const connection = this.#connection
    const isHandler = typeof handler === 'function' || (typeof handler === 'object' && handler !== null)
    if (connection === undefined || !isHandler) register(handler as EventHandler)
    else registerContained(this, type, handler as EventHandler, register, (error) => connection.fail(error, 'listener'))
  }

  override removeAllListeners(event?: string | symbol): this {
    super.removeAllListeners(event as string)
    this.#connection?.listenAgain()
    return this
  }

  /** `ws` emits `close` through the socket's own `emit`, which the application may have replaced. */
  emitClose(): void {
    try {
      emitClose(this)
    } catch (error) {
      this.#connection?.fail(error, 'listener')
    }
    this.#connection?.leave(closeCodeOf(this))
  }

  override close(code?: number, reason?: string | Buffer): void {
    this.#connection?.noteClose()
    super.close(code, reason)
    this.#connection?.afterClose()
  }

  override terminate(): void {
    this.#connection?.noteClose()
    super.terminate()
  }

  override send(data: never, ...rest: never[]): void {
    super.send(data, ...rest)
    this.#connection?.checkBacklog()
  }

  override ping(data?: never, ...rest: never[]): void {
    super.ping(data, ...rest)
    this.#connection?.checkBacklog()
  }

  override pong(data?: never, ...rest: never[]): void {
    super.pong(data, ...rest)
    this.#connection?.checkBacklog()
  }

  override [EventEmitter.captureRejectionSymbol](error: unknown): void {
    this.#connection?.fail(error, 'listener')
  }
}

/** The connection of a socket; undefined for a socket that is not ours. */
export const { connectionOf } = ContainedWebSocket
