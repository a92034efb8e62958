import { signal } from './parts/signal.ts'

/** A point at which an application waits until the case opens it. */
export interface Gate {
  /** Resolves when the application has reached the gate. */
  readonly arrived: Promise<void>
  open(): void
  /** Waits at the gate until it is open. */
  enter(): Promise<void>
}

export function makeGate(): Gate {
  const [arrival, opening] = [signal(), signal()]
  return {
    arrived: arrival.given,
    open: () => opening.give(),
    enter: () => {
      arrival.give()
      return opening.given
    }
  }
}
