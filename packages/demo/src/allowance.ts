const burst = 8
const refillMs = 1_000

/** How many messages a socket may still send: eight at once, then one a second. */
export class Allowance {
  #left = burst
  #at: number

  constructor(now: number) {
    this.#at = now
  }

  /** @returns false if none is left */
  take(now: number): boolean {
    this.#left = Math.min(burst, this.#left + (now - this.#at) / refillMs)
    this.#at = now
    if (this.#left < 1) return false
    this.#left--
    return true
  }
}
