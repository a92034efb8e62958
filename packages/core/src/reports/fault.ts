import type { WebSocket } from '../websocket.ts'
import type { RequestFacts } from './facts.ts'

/** Where a fault happened. */
export type FaultPhase =
  /** The listener passed to `attach` threw or rejected before it answered the handshake. */
  | 'dispatch'
  /** The handler of an accepted connection threw or rejected. */
  | 'handler'
  /** A listener on the socket threw or rejected. */
  | 'listener'
  /** The peer broke the protocol, and the socket has no `error` listener. */
  | 'protocol'

/** The second argument of `onError`. */
export interface FaultContext {
  /** Where the error comes from. */
  readonly phase: FaultPhase
  /** The request of the handshake. */
  readonly request: RequestFacts
  /** The socket; undefined if none is open yet. */
  readonly socket: WebSocket | undefined
}

/** Reports a fault; never throws. */
export type FaultReporter = (error: unknown, context: FaultContext) => void

/**
 * Runs a function of the application.
 * @param fail called once if the function throws or rejects
 */
export function contain(run: () => unknown, fail: (error: unknown) => void): void {
  let result: unknown
  try {
    result = run()
  } catch (error) {
    fail(error)
    return
  }
  // Wrapped in a promise of our own, which settles only once, whatever the application's `then` does.
  if (isThenable(result)) new Promise((resolve) => resolve(result)).then(undefined, fail)
}

/** Whether a returned value can be awaited. Also true if reading `then` throws, because awaiting it would throw too. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  try {
    return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function'
  } catch {
    return true
  }
}
