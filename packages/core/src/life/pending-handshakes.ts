/** A handshake that has not been answered in full. */
export interface Waiting {
  /** Called when its time is up. Returning true gives it the same time once more. */
  expire(): boolean
  /** For the queue's own use; on the handshake itself, because a map beside it is made anew every few handshakes. */
  due: number | undefined
  inFront: Waiting | undefined
  behind: Waiting | undefined
}

/**
 * Handshakes under way, in the order in which their time ends: all have the same, so the first one in is the first one
 * due, and one timer serves them all.
 */
export class PendingHandshakes {
  size = 0
  readonly #timeoutMs: number
  #first: Waiting | undefined
  #last: Waiting | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  /** @param now by `performance.now()` */
  add(handshake: Waiting, now: number): void {
    handshake.due = now + this.#timeoutMs
    handshake.inFront = this.#last
    if (this.#last === undefined) this.#first = handshake
    else this.#last.behind = handshake
    this.#last = handshake
    this.size++
    if (this.#timeoutMs !== Infinity) this.#timer ??= this.#arm(this.#timeoutMs)
  }

  /** The timer stays: to set one for each handshake costs more than one that finds nothing to do. */
  delete(handshake: Waiting): void {
    if (handshake.due === undefined) return
    const { inFront, behind } = handshake
    if (inFront === undefined) this.#first = behind
    else inFront.behind = behind
    if (behind === undefined) this.#last = inFront
    else behind.inFront = inFront
    handshake.due = undefined
    handshake.inFront = undefined
    handshake.behind = undefined
    this.size--
  }

  #arm(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#expire(), Math.max(1, ms)).unref()
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
      this.delete(first)
      if (first.expire()) this.add(first, performance.now())
    }
  }
}
