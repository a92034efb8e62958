import { setImmediate } from './clock.ts'

/** The longest delay that timers of Node support. https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
export const longestDelayMs = 2_147_483_647

/** What is under way on a line. */
interface Parcel {
  readonly deliver: () => void
  /** Whether only the parcels before it, or a frozen line, still hold it up. */
  isDue: boolean
  /** Ends the delay. */
  cancel(): void
  next: Parcel | undefined
}

/**
 * One direction of a connection in memory. What it carries arrives in order, in a later turn of the event loop, or
 * after a delay.
 */
export class Line {
  /** A linked list: a long one takes constant time for each parcel, at both ends. */
  #first: Parcel | undefined
  #last: Parcel | undefined
  #isFrozen = false
  #isCut = false
  /** Applies to what is sent from now on. */
  delayMs = 0

  get isFrozen(): boolean {
    return this.#isFrozen
  }

  /** While a line is frozen, nothing arrives. What is sent is kept. */
  set isFrozen(isFrozen: boolean) {
    this.#isFrozen = isFrozen
    if (!isFrozen) setImmediate(() => this.#deliver())
  }

  carry(deliver: () => void): void {
    if (this.#isCut) return
    const parcel: Parcel = { deliver, isDue: false, cancel: () => {}, next: undefined }
    if (this.#last === undefined) this.#first = parcel
    else this.#last.next = parcel
    this.#last = parcel
    const arrive = (): void => {
      parcel.isDue = true
      this.#deliver()
    }
    if (this.delayMs === 0) setImmediate(arrive)
    else parcel.cancel = after(this.delayMs, arrive)
  }

  /** Loses what is under way, and all that is sent from now on. */
  cut(): void {
    this.#isCut = true
    for (let parcel = this.#first; parcel !== undefined; parcel = parcel.next) parcel.cancel()
    this.#first = undefined
  }

  #deliver(): void {
    for (;;) {
      const parcel = this.#first
      if (parcel === undefined || !parcel.isDue || this.#isFrozen) return
      this.#first = parcel.next
      if (parcel === this.#last) this.#last = undefined
      parcel.deliver()
    }
  }
}

/**
 * Uses the timers of the test, not those of `clock.ts`: this time is part of what is tested, so that fake timers apply.
 * @returns a function that ends the timer
 */
export function after(delayMs: number, work: () => void): () => void {
  const { clearTimeout, setTimeout } = globalThis
  const timer = setTimeout(work, delayMs)
  return () => clearTimeout(timer)
}
