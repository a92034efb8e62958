import { EventEmitter } from 'node:events'
import { isThenable } from '../reports/fault.ts'
import { WebSocket } from './ws.ts'

/**
 * Whether an emitter that hears of rejections keeps the `emit` of its class. Bun (1.4) puts one on each of them, which would
 * stand in front of ours, and which hears nothing of listeners for `error`.
 */
const keepsEmit = new EventEmitter({ captureRejections: true }).emit === EventEmitter.prototype.emit

/**
 * Lets an emitter hear of listeners that reject. `ws` gives its emitter no options; EventEmitter takes them in a call on a
 * made instance as well. https://nodejs.org/api/events.html#capture-rejections-of-promises
 */
export function captureRejections(emitter: CapturingWebSocket): void {
  if (keepsEmit) Reflect.apply(EventEmitter as unknown as () => void, emitter, [{ captureRejections: true }])
}

/** Hears of listeners that reject by itself, as Node's emitters do. */
export class ListeningWebSocket extends WebSocket {
  override emit(event: string | symbol, ...args: unknown[]): boolean {
    const listeners = this.rawListeners(event as string)
    // An `error` that nobody listens for is thrown.
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

/** A `WebSocket` of `ws`, for a class that has a method for listeners that reject. */
export const CapturingWebSocket: typeof WebSocket = keepsEmit ? WebSocket : ListeningWebSocket
export type CapturingWebSocket = WebSocket
