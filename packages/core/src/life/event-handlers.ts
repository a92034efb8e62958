import type { EventEmitter } from 'node:events'
import { isThenable } from '../reports/fault.ts'
import { standFor } from './ws.ts'

/** A handler of the browser interface: `socket.onmessage = …`, `socket.addEventListener('message', …)`. */
export type EventHandler = ((event: unknown) => unknown) | { handleEvent(event: unknown): unknown }

/** Registers a handler with `ws`, with the options that were given. */
export type Register = (handler: EventHandler) => void

/**
 * Registers a handler, and reports a promise of it that rejects. `ws` ignores what handlers return, so an async handler
 * that rejects would end the process. `removeEventListener` and `socket.onmessage` still find the original handler.
 */
export function registerContained(
  emitter: EventEmitter,
  type: string,
  handler: EventHandler,
  register: Register,
  fail: (error: unknown) => void
): void {
  const before = emitter.listenerCount(type)
  // First the handler itself, so that `ws` can tell whether it is already registered.
  register(handler)
  if (emitter.listenerCount(type) === before) return
  emitter.removeListener(type, lastOf(emitter, type))
  register(contained(handler, fail))
  standFor(lastOf(emitter, type), handler)
}

type Listener = (...args: unknown[]) => void

const lastOf = (emitter: EventEmitter, type: string): Listener => emitter.listeners(type).at(-1) as Listener

function contained(handler: EventHandler, fail: (error: unknown) => void): EventHandler {
  return function (this: unknown, event: unknown): void {
    const result = typeof handler === 'object' ? handler.handleEvent(event) : handler.call(this, event)
    if (isThenable(result)) result.then(undefined, fail)
  }
}
