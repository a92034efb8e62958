import type { Message } from './client.ts'

/**
 * Bytes that a message counts beside its own: an entry here, and a string or a view on what was received. Measured with Node
 * 20.20 as growth of the resident memory for each of 200,000 messages of one byte: 300 for a binary one, 150 for text.
 */
const messageBytes = 256

/** Messages that a test has not asked for yet, in order. */
export class Unread {
  #messages: Message[] = []
  #first = 0
  /** In bytes: those of the messages, and what each takes beside them. */
  cost = 0

  get count(): number {
    return this.#messages.length - this.#first
  }

  push(message: Message): void {
    this.#messages.push(message)
    this.cost += costOf(message)
  }

  /** Takes no longer for many: `shift()` of an array moves all that are behind. */
  shift(): Message | undefined {
    const message = this.#messages[this.#first]
    if (message === undefined) return undefined
    this.cost -= costOf(message)
    this.#messages[this.#first++] = ''
    if (this.#first * 2 > this.#messages.length) {
      this.#messages = this.#messages.slice(this.#first)
      this.#first = 0
    }
    return message
  }

  /** The last ones. */
  last(count: number): Message[] {
    return this.#messages.slice(Math.max(this.#first, this.#messages.length - count))
  }
}

const costOf = (message: Message): number => message.length + messageBytes
