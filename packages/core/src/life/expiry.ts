import type { Timers } from './timers.ts'

/** A connection whose credential can expire. */
export interface Expiring {
  expireCredential(): void
}

/** Expiry times that are closer together than this are handled in one turn, in milliseconds. */
const turnMs = 20

/** How long to wait at most before checking the clock again, in milliseconds: it may have been changed. */
const longestWaitMs = 60_000

/** Closes connections when their credential expires, with one timer for all of them. */
export class Expiry {
  /** Milliseconds since 1970. */
  readonly #due = new Map<Expiring, number>()
  readonly #timers: Timers
  #timer: NodeJS.Timeout | undefined
  #timerDue = Infinity

  constructor(timers: Timers) {
    this.#timers = timers
  }

  /** Sets or changes the expiry time of a connection, in milliseconds since 1970; Infinity removes it. */
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
