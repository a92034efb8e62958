/**
 * How long a message is published once only, in milliseconds. Clients send it again for at most a minute, and what they
 * send last may take its time.
 */
const keptMs = 90_000

interface Entry {
  readonly offset: number | undefined
  readonly time: number
}

/** The IDs of messages that clients have published lately. */
export class PublishIds {
  readonly #most: number
  /** In the order of their times. */
  readonly #entries = new Map<string, Entry>()

  constructor(most: number) {
    this.#most = most
  }

  /** Whether no more can be remembered now. */
  get isFull(): boolean {
    this.#trim()
    return this.#entries.size >= this.#most
  }

  /** The message that was published under an ID; undefined if there is none. */
  find(id: string): Entry | undefined {
    this.#trim()
    return this.#entries.get(id)
  }

  add(id: string, offset: number | undefined): void {
    this.#entries.set(id, { offset, time: performance.now() })
  }

  #trim(): void {
    const from = performance.now() - keptMs
    for (const [id, { time }] of this.#entries) {
      if (time > from) return
      this.#entries.delete(id)
    }
  }
}
