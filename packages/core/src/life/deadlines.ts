import type { Timers } from './timers.ts'

/** Something with a limited time. */
export interface Due {
  /** Called when the time is up. @returns whether to wait for the same time again */
  expire(): boolean
  /** For the list's own use. Kept on the items, because a `Map` would be reallocated every few handshakes. */
  due: number | undefined
  inFront: Due | undefined
  behind: Due | undefined
}

/**
 * A list of items that all have the same time limit. So the first one added is the first one due, and one timer serves
 * them all.
 */
export class Deadlines<One extends Due = Due> {
  size = 0
  readonly timeoutMs: number
  readonly #timers: Timers
  #first: Due | undefined
  #last: Due | undefined
  #timer: NodeJS.Timeout | undefined

  /** @param timeoutMs the time limit in milliseconds; Infinity for none */
  constructor(timeoutMs: number, timers: Timers) {
    this.timeoutMs = timeoutMs
    this.#timers = timers
  }

  /** All items, the first one due first. The current item may be deleted during the iteration. */
  *[Symbol.iterator](): Generator<One> {
    for (let one = this.#first; one !== undefined; ) {
      const next: Due | undefined = one.behind
      yield one as One
      one = next
    }
  }

  /** Expires the item that is due first, now. */
  expireFirst(): void {
    const first = this.#first as One | undefined
    if (first === undefined) return
    this.#end(first)
  }

  /** @param now from `performance.now()` */
  add(one: One, now: number): void {
    one.due = now + this.timeoutMs
    one.inFront = this.#last
    if (this.#last === undefined) this.#first = one
    else this.#last.behind = one
    this.#last = one
    this.size++
    if (this.timeoutMs !== Infinity) this.#timer ??= this.#arm(this.timeoutMs)
  }

  /**
   * Leaves the timer running: a timer that finds nothing to do costs less than setting a new one for each handshake.
   */
  delete(one: One): void {
    if (one.due === undefined) return
    const { inFront, behind } = one
    if (inFront === undefined) this.#first = behind
    else inFront.behind = behind
    if (behind === undefined) this.#last = inFront
    else behind.inFront = inFront
    one.due = undefined
    one.inFront = undefined
    one.behind = undefined
    this.size--
  }

  #arm(ms: number): NodeJS.Timeout {
    return this.#timers.after(Math.max(1, ms), () => this.#expire())
  }

  #expire(): void {
    this.#timer = undefined
    const now = performance.now()
    for (let first = this.#first; first?.due !== undefined; first = this.#first) {
      if (first.due > now) {
        // An item that got more time may have set a timer already, which would fire too late for this one.
        clearTimeout(this.#timer)
        this.#timer = this.#arm(first.due - now)
        return
      }
      this.#end(first as One)
    }
  }

  /** Anything thrown becomes an uncaught exception, as in Node, and does not hold up the other items. */
  #end(one: One): void {
    this.delete(one)
    try {
      if (one.expire()) this.add(one, performance.now())
    } catch (error) {
      process.nextTick(() => {
        throw error
      })
    }
  }
}
