import type { Timers } from './timers.ts'

/** What is told that its time has come. */
export interface Expiring {
  expireCredential(): void
}

/** Times that lie closer together than this are dealt with in one turn, in milliseconds. */
const turnMs = 20

/** The system's clock may be set, so it is looked at again after this time at the latest, in milliseconds. */
const longestWaitMs = 60_000

/** Ends connections when their credential does: one timer for all of them. */
export class Expiry {
  /** Milliseconds since 1970. */
  readonly #due = new Map<Expiring, number>()
  readonly #timers: Timers
  #timer: NodeJS.Timeout | undefined
  #timerDue = Infinity

  constructor(timers: Timers) {
    this.#timers = timers
  }

  /** Sets the time of a connection, or changes it; Infinity takes it away. */
  set(connection: Expiring, expiresAt: number): void {
    if (expiresAt === Infinity) {
      this.delete(connection)
    } else {
      this.#due.set(connection, expiresAt)
      if (expiresAt < this.#timerDue) this.#arm(expiresAt)
    }
  }

  delete(connection: Expiring): void {
    if (this.#due.delete(connection) && this.#due.size === 0) this.#arm(Infinity)
  }

  #arm(due: number): void {
    clearTimeout(this.#timer)
    this.#timerDue = due
    if (due === Infinity) return
    const wait = Math.min(longestWaitMs, Math.max(0, due - Date.now()))
    this.#timer = this.#timers.after(wait, () => this.#expire())
  }

  #expire(): void {
    const now = Date.now()
    let next = Infinity
    for (const [connection, due] of this.#due) {
      if (due > now) {
        next = Math.min(next, due)
      } else {
        this.#due.delete(connection)
        connection.expireCredential()
      }
    }
    this.#arm(next === Infinity ? next : Math.max(next, now + turnMs))
  }
}
