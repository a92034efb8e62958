import type { WebSocket } from '../websocket.ts'
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
 * @param fail is called once, with what it throws or rejects with
 */
export function contain(run: () => unknown, fail: (error: unknown) => void): void {
  let result: unknown
  try {
    result = run()
  } catch (error) {
    fail(error)
    return
  }
  // A promise of our own is settled once, whatever a `then` of the application does.
  if (isThenable(result)) new Promise((resolve) => resolve(result)).then(undefined, fail)
}

/** Whether code of the application goes on after it has returned; true where `then` throws, as awaiting it would. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  try {
    return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function'
  } catch {
    return true
  }
}
