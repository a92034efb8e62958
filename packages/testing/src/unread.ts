import type { Message } from './client.ts'

/**
 * Overhead of each message: an entry here, and a string or a view of the received data. Measured with Node 20.20 as
 * growth of the resident memory for each of 200,000 messages of one byte: 300 for a binary one, 150 for text.
 */
const messageBytes = 256

/** Messages that a test has not read yet, in order. */
export class Unread {
  #messages: Message[] = []
  #first = 0
  /** Size of all messages in bytes, including the overhead of each. */
  cost = 0

  get count(): number {
    return this.#messages.length - this.#first
  }

  push(message: Message): void {
    this.#messages.push(message)
    this.cost += costOf(message)
  }

  /** Takes constant time, however many there are: `shift()` of an array moves all remaining elements. */
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

  /** The last `count` messages, or fewer if there are not as many. */
  last(count: number): Message[] {
    return this.#messages.slice(Math.max(this.#first, this.#messages.length - count))
  }
}

const costOf = (message: Message): number => message.length + messageBytes
