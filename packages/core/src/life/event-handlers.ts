import type { EventEmitter } from 'node:events'
import { isThenable } from '../reports/fault.ts'
import { standFor } from './ws.ts'

/** A listener of the browser's interface: `socket.onmessage = …`, `socket.addEventListener('message', …)`. */
export type EventHandler = ((event: unknown) => unknown) | { handleEvent(event: unknown): unknown }

/** Registers a handler as `ws` does, with what else it was given. */
export type Register = (handler: EventHandler) => void

/**
 * Registers a handler whose promises are heard of: `ws` drops what it returns, so that one which rejects would end the
 * process. To the outside it stays the handler that it is: `ws` finds it again under the same symbol.
 */
export function registerContained(
  emitter: EventEmitter,
  type: string,
  handler: EventHandler,
  register: Register,
  fail: (error: unknown) => void
): void {
  const before = emitter.listenerCount(type)
  // As it is, for `ws` to find out whether it is there already.
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
