import { pieceBytes } from '../cost.ts'
import type { Message } from '../message.ts'

/** What one topic may keep. */
export interface LogLimits {
  readonly messages: number
  readonly ms: number
  readonly bytes: number
}

interface Entry {
  readonly message: Message
  readonly time: number
}

const costOf = ({ message }: Entry): number => message.frame.length + pieceBytes

/** How many removed entries the array may start with before it is moved. */
const mostRemoved = 64

/** The newest messages of one topic. Their offsets are consecutive. */
export class Log {
  /** Names the life of this log: offsets of another epoch mean nothing here. */
  readonly epoch: string
  readonly limits: LogLimits
  /** The offset of the newest message that was ever appended; 0 if there was none. */
  last: number
  /** When the newest was appended, or the log was created. */
  time: number
  /** Memory taken by the messages, in bytes. */
  cost = 0
  #entries: (Entry | undefined)[] = []
  #start = 0

  /** @param last the offset before the first message */
  constructor(epoch: string, limits: LogLimits, now: number, last = 0) {
    this.epoch = epoch
    this.limits = limits
    this.time = now
    this.last = last
  }

  get size(): number {
    return this.#entries.length - this.#start
  }

  /** The offset of the oldest message that is still here; `last + 1` if there is none. */
  get first(): number {
    return this.last - this.size + 1
  }

  /** The message with an offset from `first` to `last`. */
  at(offset: number): Message {
    const entry = this.#entries[this.#start + offset - this.first]
    if (entry === undefined) throw new RangeError(`offset ${offset} is not in ${this.first} to ${this.last}`)
    return entry.message
  }

  /** Appends a message, whose offset is `last + 1`, and removes what exceeds the limits. */
  append(message: Message, now: number): void {
    message.keep()
    const entry = { message, time: now }
    this.#entries.push(entry)
    this.last++
    this.time = now
    this.cost += costOf(entry)
    this.trim(now)
  }

  /** Removes all messages, and goes on behind an offset. */
  skip(offset: number): void {
    while (this.size > 0) this.removeOldest()
    this.last = offset
  }

  /** Removes what is too old or too much. */
  trim(now: number): void {
    const { messages, ms, bytes } = this.limits
    while (this.size > messages || this.cost > bytes || this.#oldest <= now - ms) this.removeOldest()
  }

  removeOldest(): void {
    const entry = this.#entries[this.#start]
    if (entry === undefined) return
    this.cost -= costOf(entry)
    this.#entries[this.#start++] = undefined
    if (this.#start < mostRemoved || this.#start < this.size) return
    this.#entries = this.#entries.slice(this.#start)
    this.#start = 0
  }

  get #oldest(): number {
    return this.#entries[this.#start]?.time ?? Infinity
  }
}
