import type { Timers } from './timers.ts'

/** Something that has a limited time. */
export interface Due {
  /** Called when its time is up. Returning true gives it the same time once more. */
  expire(): boolean
  /** For the queue's own use; on the thing itself, because a map beside it is made anew every few handshakes. */
  due: number | undefined
  inFront: Due | undefined
  behind: Due | undefined
}

/**
 * Things under way, in the order in which their time ends: all have the same, so the first one in is the first one due,
 * and one timer serves them all.
 */
export class Deadlines<One extends Due = Due> {
  size = 0
  readonly timeoutMs: number
  readonly #timers: Timers
  #first: Due | undefined
  #last: Due | undefined
  #timer: NodeJS.Timeout | undefined

  /** @param timeoutMs in milliseconds; Infinity for no end */
  constructor(timeoutMs: number, timers: Timers) {
    this.timeoutMs = timeoutMs
    this.#timers = timers
  }

  /** All of them, the one that is due first in front. Each may leave when its turn comes. */
  *[Symbol.iterator](): Generator<One> {
    for (let one = this.#first; one !== undefined; ) {
      const next: Due | undefined = one.behind
      yield one as One
      one = next
    }
  }

  /** Ends the time of the one that is due first. */
  expireFirst(): void {
    const first = this.#first as One | undefined
    if (first === undefined) return
    this.#end(first)
  }

  /** @param now by `performance.now()` */
  add(one: One, now: number): void {
    one.due = now + this.timeoutMs
    one.inFront = this.#last
    if (this.#last === undefined) this.#first = one
    else this.#last.behind = one
    this.#last = one
    this.size++
    if (this.timeoutMs !== Infinity) this.#timer ??= this.#arm(this.timeoutMs)
  }

  /** The timer stays: to set one for each handshake costs more than one that finds nothing to do. */
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
        // One that was given its time again has set a timer meanwhile, for later than this one.
        clearTimeout(this.#timer)
        this.#timer = this.#arm(first.due - now)
        return
      }
      this.#end(first as One)
    }
  }

  /** What a listener throws that hears of the end surfaces as with Node, and keeps none of the others waiting. */
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
