import { pieceBytes } from './cost.ts'
import type { Message } from './message.ts'

const costOf = (message: Message): number => message.frame.length + pieceBytes

/** Messages for one socket that can't be written yet, in order. */
export class Held {
  /** The key is the topic for messages that a newer one replaces, and a number for all others. */
  readonly #messages = new Map<string | number, Message>()
  #count = 0
  #cost = 0

  get size(): number {
    return this.#messages.size
  }

  /** Bytes of the frames plus the overhead of each message. */
  get cost(): number {
    return this.#cost
  }

  add(message: Message): void {
    this.#keep(this.#count++, message)
  }

  /** @returns whether an older message of the topic was replaced */
  replace(topic: string, message: Message): boolean {
    const replaced = this.discard(topic)
    this.#keep(topic, message)
    return replaced
  }

  /** Drops the newest message of a topic. */
  discard(topic: string): boolean {
    return this.#forget(topic, this.#messages.get(topic))
  }

  /** Passes messages to `take` in order, until it returns false. */
  release(take: (message: Message) => boolean): void {
    for (const [key, message] of this.#messages) {
      if (!take(message)) return
      this.#forget(key, message)
    }
  }

  #keep(key: string | number, message: Message): void {
    message.keep()
    this.#messages.set(key, message)
    this.#cost += costOf(message)
  }

  #forget(key: string | number, message: Message | undefined): boolean {
    if (message === undefined) return false
    this.#cost -= costOf(message)
    return this.#messages.delete(key)
  }
}
