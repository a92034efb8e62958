import type { BackplaneHealth, HistoryBackplane, KeptLimits, Position } from './backplane.ts'
import { expected } from './errors.ts'

type Receive = (message: Buffer, position?: Position) => void

/** How long the name of a message is remembered, in milliseconds: a minute, and what the last one may take to arrive. */
const namedMs = 90_000

interface Entry {
  readonly message: Buffer
  readonly time: number
}

/** What a hub keeps of a topic. */
class Topic {
  readonly epoch: string
  last = 0
  #entries: Entry[] = []
  #bytes = 0
  /** In the order of their times. */
  readonly #names = new Map<string, { readonly offset: number; readonly time: number }>()

  constructor(epoch: string) {
    this.epoch = epoch
  }

  /** The offset of a message that was appended under this name in the last minute. */
  find(name: string): number | undefined {
    const from = performance.now() - namedMs
    for (const [known, { time }] of this.#names) {
      if (time > from) break
      this.#names.delete(known)
    }
    return this.#names.get(name)?.offset
  }

  append(message: Buffer, limits: KeptLimits, name: string | undefined): Position {
    const time = performance.now()
    const offset = ++this.last
    this.#entries.push({ message, time })
    this.#bytes += message.length
    if (name !== undefined) this.#names.set(name, { offset, time })
    this.#trim(limits)
    return { epoch: this.epoch, offset }
  }

  read(after: Position | undefined, limits: KeptLimits): Buffer[] {
    this.#trim(limits)
    const first = this.last - this.#entries.length
    const skipped = after?.epoch === this.epoch ? Math.max(0, after.offset - first) : 0
    return this.#entries.slice(skipped).map(({ message }) => message)
  }

  #trim({ messages, ms, bytes }: KeptLimits): void {
    const from = performance.now() - ms
    for (let [oldest] = this.#entries; oldest !== undefined; [oldest] = this.#entries) {
      if (this.#entries.length <= messages && this.#bytes <= bytes && oldest.time > from) return
      this.#entries.shift()
      this.#bytes -= oldest.message.length
    }
  }
}

/** Connects backplanes in memory, in place of a server between the nodes. */
export class MemoryHub {
  /**
   * The health that its backplanes report. While it is `'down'`, they reject messages and subscriptions: set it to test
   * how an application handles an outage.
   */
  health: BackplaneHealth = 'up'
  readonly #topics = new Map<string, Set<Receive>>()
  readonly #kept = new Map<string, Topic>()
  readonly #lost = new Set<() => void>()
  #epochs = 0

  /** Number of nodes that are subscribed to a topic. */
  subscribers(topic: string): number {
    return this.#topics.get(topic)?.size ?? 0
  }

  /** Loses what it has kept, as a server that restarts without its data. Topics begin another epoch. */
  forget(): void {
    this.#kept.clear()
    this.#reportLoss()
  }

  /** Takes back `health = 'down'`, and tells all nodes that they may have lost messages. */
  restore(): void {
    this.health = 'up'
    this.#reportLoss()
  }

  #reportLoss(): void {
    for (const lost of this.#lost) queueMicrotask(lost)
  }

  #topicOf(topic: string): Topic {
    const known = this.#kept.get(topic) ?? new Topic(`m${++this.#epochs}`)
    this.#kept.set(topic, known)
    return known
  }

  /** Creates a backplane for another node. */
  join(): HistoryBackplane {
    const own = new Map<string, Receive>()
    const losses = new Map<string, () => void>()
    let isClosed = false

    const check = (): void => {
      if (isClosed) throw new Error('The backplane is closed.')
      if (this.health === 'down') throw new Error('The hub is down.')
    }

    return {
      publish: async (topic, message) => {
        check()
        // Asynchronous, like a network.
        for (const receive of this.#topics.get(topic) ?? []) queueMicrotask(() => receive(message))
      },

      append: async (topic, message, limits, name) => {
        check()
        const kept = this.#topicOf(topic)
        const earlier = name === undefined ? undefined : kept.find(name)
        if (earlier !== undefined) return { epoch: kept.epoch, offset: earlier }
        const position = kept.append(message, limits, name)
        for (const receive of this.#topics.get(topic) ?? []) queueMicrotask(() => receive(message, position))
        return position
      },

      read: async (topic, after, limits) => {
        check()
        const kept = this.#topicOf(topic)
        return { epoch: kept.epoch, last: kept.last, messages: kept.read(after, limits) }
      },

      subscribe: async (topic, receive, lost = () => {}) => {
        check()
        const deliver: Receive = (message, position) => {
          if (own.get(topic) === deliver) receive(message, topic, position)
        }
        own.set(topic, deliver)
        const loss = (): void => lost(topic)
        losses.set(topic, loss)
        this.#lost.add(loss)
        const receivers = this.#topics.get(topic) ?? new Set()
        this.#topics.set(topic, receivers.add(deliver))
      },

      unsubscribe: async (topic) => {
        check()
        this.#remove(topic, own, losses)
      },

      health: () => (isClosed ? 'down' : this.health),

      close: async () => {
        isClosed = true
        for (const topic of [...own.keys()]) this.#remove(topic, own, losses)
      }
    }
  }

  #remove(topic: string, own: Map<string, Receive>, losses: Map<string, () => void>): void {
    const loss = losses.get(topic)
    if (loss !== undefined) this.#lost.delete(loss)
    losses.delete(topic)
    const receivers = this.#topics.get(topic)
    const deliver = own.get(topic)
    own.delete(topic)
    if (receivers === undefined || deliver === undefined) return
    receivers.delete(deliver)
    if (receivers.size === 0) this.#topics.delete(topic)
  }
}

/**
 * A backplane without a network, for tests: nodes whose backplanes share a hub get each other's messages.
 * @param hub connects it to other backplanes; by default a new one, to which no other node is connected
 * @throws TypeError if `hub` is not a `MemoryHub`
 */
export function memoryBackplane(hub: MemoryHub = new MemoryHub()): HistoryBackplane {
  if (typeof hub?.join !== 'function') throw expected('memoryBackplane: hub', 'a MemoryHub', hub)
  return hub.join()
}
