/** A handshake that has not been answered in full. */
export interface Waiting {
  /** Called when its time is up. Returning true gives it the same time once more. */
  expire(): boolean
}

/**
 * Handshakes under way, in the order in which their time ends: all have the same, so the first one in is the first one
 * due, and one timer serves them all.
 */
export class PendingHandshakes {
  readonly #timeoutMs: number
  readonly #due = new Map<Waiting, number>()
  #timer: NodeJS.Timeout | undefined

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  get size(): number {
    return this.#due.size
  }

  add(handshake: Waiting): void {
    this.#due.set(handshake, performance.now() + this.#timeoutMs)
    if (this.#timeoutMs !== Infinity) this.#timer ??= this.#arm(this.#timeoutMs)
  }

  delete(handshake: Waiting): void {
    this.#due.delete(handshake)
    if (this.#due.size > 0) return
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #arm(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#expire(), Math.max(1, ms)).unref()
  }

  #expire(): void {
    this.#timer = undefined
    const now = performance.now()
    for (const [handshake, due] of this.#due) {
      if (due > now) {
        // One that was given its time again has set a timer meanwhile, for later than this one.
        clearTimeout(this.#timer)
        this.#timer = this.#arm(due - now)
        return
      }
      this.#due.delete(handshake)
      if (handshake.expire()) this.add(handshake)
    }
  }
}
