import { signal } from './parts/signal.ts'

/** What an application can wait for, and a case can open. */
export interface Gate {
  /** Resolves when somebody has come to it. */
  readonly arrived: Promise<void>
  open(): void
  /** Comes to it; resolves when it is open. */
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
