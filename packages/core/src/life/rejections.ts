import { EventEmitter } from 'node:events'
import { isThenable } from '../reports/fault.ts'
import { WebSocket } from './ws.ts'

/**
 * Whether an emitter with `captureRejections` keeps the `emit` of its class. Bun (1.4) sets an own `emit` on each of
 * them, which would hide ours, and which ignores `error` listeners that reject.
 */
const keepsEmit = new EventEmitter({ captureRejections: true }).emit === EventEmitter.prototype.emit

/**
 * Turns `captureRejections` on for a socket. `ws` passes no options to `EventEmitter`, but the constructor can also be
 * called on an existing instance. https://nodejs.org/api/events.html#capture-rejections-of-promises
 */
export function captureRejections(emitter: CapturingWebSocket): void {
  if (keepsEmit) Reflect.apply(EventEmitter as unknown as () => void, emitter, [{ captureRejections: true }])
}

/** Captures rejections of listeners itself, as Node's emitters do. */
export class ListeningWebSocket extends WebSocket {
  override emit(event: string | symbol, ...args: unknown[]): boolean {
    const listeners = this.rawListeners(event as string)
    // An `error` without a listener is thrown.
    if (listeners.length === 0) return super.emit(event as string, ...args)
    if (event === 'error') this.emit(EventEmitter.errorMonitor, ...args)
    for (const listener of listeners) {
      const result: unknown = Reflect.apply(listener, this, args)
      if (isThenable(result)) result.then(undefined, (error) => this.#hear(error, event, args))
    }
    return true
  }

  #hear(error: unknown, event: string | symbol, args: unknown[]): void {
    const self = this as EventEmitter
    self[EventEmitter.captureRejectionSymbol]?.(error as Error, event as string, ...args)
  }
}

/** The base class for a `WebSocket` that captures rejections of its listeners. */
export const CapturingWebSocket: typeof WebSocket = keepsEmit ? WebSocket : ListeningWebSocket
export type CapturingWebSocket = WebSocket
