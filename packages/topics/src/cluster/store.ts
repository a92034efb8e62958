import { randomBytes } from 'node:crypto'
import type { Kept, KeptLimits, Position } from '../backplane.ts'

/** How long the name of a message is remembered, in milliseconds: a minute, and what the last one may take to arrive. */
const nameMs = 90_000

/** Memory taken by a message, a name or a topic, beyond its bytes. */
const overheadBytes = 512

interface Entry {
  readonly message: Buffer
  readonly time: number
}

const costOf = ({ message }: Entry): number => message.length + overheadBytes

class StoredTopic {
  readonly epoch: string
  last = 0
  /** Memory taken by the messages. */
  cost = 0
  /** When it was last used, and how long to keep it after that. */
  usedAt = performance.now()
  keptMs = nameMs
  /** In the order of their times. */
  readonly names = new Map<string, { readonly offset: number; readonly time: number }>()
  #entries: Entry[] = []
  #bytes = 0

  constructor(epoch: string) {
    this.epoch = epoch
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0
  }

  add(message: Buffer, limits: KeptLimits): void {
    const entry = { message, time: performance.now() }
    this.last++
    this.usedAt = entry.time
    this.keptMs = Math.max(limits.ms, nameMs)
    this.#entries.push(entry)
    this.#bytes += message.length
    this.cost += costOf(entry)
    this.trim(limits)
  }

  after(offset: number): Buffer[] {
    const first = this.last - this.#entries.length
    return this.#entries.slice(Math.max(0, offset - first)).map(({ message }) => message)
  }

  trim({ messages, ms, bytes }: KeptLimits): void {
    const from = performance.now() - ms
    for (let [oldest] = this.#entries; oldest !== undefined; [oldest] = this.#entries) {
      if (this.#entries.length <= messages && this.#bytes <= bytes && oldest.time > from) return
      this.removeOldest()
    }
  }

  removeOldest(): void {
    const oldest = this.#entries.shift()
    if (oldest === undefined) return
    this.#bytes -= oldest.message.length
    this.cost -= costOf(oldest)
  }

  forgetNames(): void {
    const from = performance.now() - nameMs
    for (const [name, { time }] of this.names) {
      if (time > from) return
      this.names.delete(name)
    }
  }
}

interface Rules {
  /** Memory that all topics may take together, in bytes. */
  readonly maxBytes: number
  /** Whether a topic has subscribers. Its offsets must go on then. */
  readonly isInUse: (topic: string) => boolean
}

/** The messages that the primary keeps. */
export class Store {
  readonly #rules: Rules
  /** Names the life of the primary. */
  readonly #id = randomBytes(9).toString('hex')
  /** In the order of their newest messages. */
  readonly #topics = new Map<string, StoredTopic>()
  #created = 0
  #cost = 0

  constructor(rules: Rules) {
    this.#rules = rules
  }

  get counts(): { topics: number; bytes: number } {
    return { topics: this.#topics.size, bytes: this.#cost }
  }

  /** @returns the place, and whether it is the message's own: with a known name it is that of the earlier one */
  append(topic: string, message: Buffer, limits: KeptLimits, name?: string): { position: Position; isNew: boolean } {
    const stored = this.#open(topic)
    stored.forgetNames()
    const earlier = name === undefined ? undefined : stored.names.get(name)
    if (earlier !== undefined) return { position: { epoch: stored.epoch, offset: earlier.offset }, isNew: false }
    this.#count(stored, () => stored.add(message, limits))
    if (name !== undefined) stored.names.set(name, { offset: stored.last, time: stored.usedAt })
    const position = { epoch: stored.epoch, offset: stored.last }
    this.#topics.delete(topic)
    this.#topics.set(topic, stored)
    this.#evict(topic)
    return { position, isNew: true }
  }

  read(topic: string, after: Position | undefined, limits: KeptLimits): Kept {
    const stored = this.#open(topic)
    stored.usedAt = performance.now()
    this.#count(stored, () => stored.trim(limits))
    const { epoch, last } = stored
    // A position that was not reached yet says nothing.
    const isKnown = after?.epoch === epoch && after.offset <= last
    return { epoch, last, messages: stored.after(isKnown ? after.offset : 0) }
  }

  /** Removes what is too old. */
  sweep(): void {
    const now = performance.now()
    for (const [topic, stored] of this.#topics) {
      stored.forgetNames()
      if (stored.usedAt + stored.keptMs > now) continue
      this.#count(stored, () => stored.trim({ messages: 0, ms: 0, bytes: 0 }))
      this.#remove(topic, stored)
    }
  }

  #open(topic: string): StoredTopic {
    const known = this.#topics.get(topic)
    if (known !== undefined) return known
    const stored = new StoredTopic(`${this.#id}.${++this.#created}`)
    this.#topics.set(topic, stored)
    this.#cost += overheadBytes
    this.#evict(topic)
    return stored
  }

  #count(stored: StoredTopic, change: () => void): void {
    const before = stored.cost
    change()
    this.#cost += stored.cost - before
  }

  /** @param current the topic that is being used */
  #evict(current: string): void {
    for (const [topic, stored] of this.#topics) {
      if (this.#cost <= this.#rules.maxBytes) return
      while (!stored.isEmpty && this.#cost > this.#rules.maxBytes) this.#count(stored, () => stored.removeOldest())
      if (stored.isEmpty && topic !== current) this.#remove(topic, stored)
    }
  }

  /** Forgets a topic, unless its offsets or its names are needed. */
  #remove(topic: string, stored: StoredTopic): void {
    if (stored.names.size > 0 || this.#rules.isInUse(topic)) return
    this.#topics.delete(topic)
    this.#cost -= overheadBytes
  }
}
