import type { Message } from './message.ts'

/** Messages for one socket that can't be written yet, in order. */
export class Held {
  /** Under its topic the newest one; under a number one that stands for itself. */
  readonly #messages = new Map<string | number, Message>()
  #count = 0
  /** Of the frames. */
  bytes = 0

  get isEmpty(): boolean {
    return this.#messages.size === 0
  }

  add(message: Message): void {
    this.#messages.set(this.#count++, message)
    this.bytes += message.frame.length
  }

  /** @returns whether an older message of the topic is gone */
  replace(topic: string, message: Message): boolean {
    const replaced = this.discard(topic)
    this.#messages.set(topic, message)
    this.bytes += message.frame.length
    return replaced
  }

  /** Forgets the newest message of a topic. */
  discard(topic: string): boolean {
    const message = this.#messages.get(topic)
    if (message === undefined) return false
    this.bytes -= message.frame.length
    return this.#messages.delete(topic)
  }

  /** Hands over one message after the other, as long as they are taken. */
  release(take: (message: Message) => boolean): void {
    for (const [key, message] of this.#messages) {
      if (!take(message)) return
      this.#messages.delete(key)
      this.bytes -= message.frame.length
    }
  }
}
