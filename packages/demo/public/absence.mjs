/**
 * What arrives after a return, without a pause of `pauseMs`, was said before it: the server sends it in one go. Where people
 * talk without a pause, it ends after `longestMs`. In milliseconds.
 */
const [pauseMs, longestMs] = [300, 2_000]

/** Counts what was missed while there was no connection, as it arrives. */
export class Absence {
  #onCaughtUp
  #isAway = true
  #timer
  #returnedAt
  /** How many messages were missed, of those that have arrived. */
  missed = 0

  /** @param onCaughtUp called with the number of messages when all have arrived */
  constructor(onCaughtUp) {
    this.#onCaughtUp = onCaughtUp
  }

  /** Whether what arrives now was said while the page was away. */
  get isCatchingUp() {
    return this.#timer !== undefined
  }

  /** Called when the connection is lost. */
  begin() {
    this.#finish()
    this.#isAway = true
  }

  /** Called when the topic goes on. */
  end() {
    if (!this.#isAway) return
    this.#isAway = false
    this.#returnedAt = performance.now()
    this.missed = 0
    this.#wait()
  }

  /** Called for a message that has arrived meanwhile. */
  count(isMissed) {
    if (isMissed) this.missed++
    this.#wait()
  }

  close() {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #wait() {
    clearTimeout(this.#timer)
    const leftMs = this.#returnedAt + longestMs - performance.now()
    this.#timer = setTimeout(() => this.#finish(), Math.min(pauseMs, leftMs))
  }

  #finish() {
    if (!this.isCatchingUp) return
    this.close()
    this.#onCaughtUp(this.missed)
  }
}
