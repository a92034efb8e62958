import type { WebSocket } from 'ws'
import type { RequestFacts } from './facts.ts'

/** Where a fault came from. */
export type FaultPhase =
  /** The listener given to `attach` threw or rejected before it answered the handshake. */
  | 'dispatch'
  /** The handler of an accepted connection threw or rejected. */
  | 'handler'
  /** A listener on the socket threw or rejected. */
  | 'listener'
  /** The peer broke the protocol, and the socket has no `error` listener. */
  | 'protocol'

/** What `onError` learns beside the error. */
export interface FaultContext {
  readonly phase: FaultPhase
  /** The request of the handshake. */
  readonly request: RequestFacts
  /** The connection; undefined where there is none yet. */
  readonly socket: WebSocket | undefined
}

/** Reports a fault; never throws. */
export type FaultReporter = (error: unknown, context: FaultContext) => void

/**
 * Runs code of the application.
 * @param fail gets what it throws, or rejects with later
 */
export function contain(run: () => unknown, fail: (error: unknown) => void): void {
  try {
    const result = run()
    if (isThenable(result)) result.then(undefined, fail)
  } catch (error) {
    fail(error)
  }
}

/** Whether code of the application goes on after it has returned. */
export const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function'
