import type { HistoryBackplane, Position } from '@oneport/topics'

type Receive = Parameters<HistoryBackplane['subscribe']>[1]
type Lost = NonNullable<Parameters<HistoryBackplane['subscribe']>[2]>

interface Receiver {
  readonly receive: Receive
  readonly lost: Lost
  /** The place of the newest message that has arrived. */
  seen: Position | undefined
}

interface Incoming {
  readonly position: Position | undefined
  /** Undefined if it has to be read. */
  readonly message: Buffer | undefined
  readonly read: () => Promise<Buffer | undefined>
}

/** Most bytes of messages that wait for one that is read. */
const mostBytesHeld = 16_777_216
const overheadBytes = 1_024

/** Hands messages to their topics, in the order in which they arrive, even if some have to be read first. */
export class Inbox {
  readonly #receivers = new Map<string, Receiver>()
  /** Messages behind one that is being read. */
  readonly #held = new Map<string, Incoming[]>()
  #heldBytes = 0

  get topics(): readonly string[] {
    return [...this.#receivers.keys()]
  }

  has(topic: string): boolean {
    return this.#receivers.has(topic)
  }

  /** The place of the newest message that has arrived. */
  seen(topic: string): Position | undefined {
    return this.#receivers.get(topic)?.seen
  }

  add(topic: string, receive: Receive, lost: Lost): void {
    this.#receivers.set(topic, { receive, lost, seen: undefined })
  }

  remove(topic: string): void {
    this.#receivers.delete(topic)
    this.#release(topic)
  }

  /** Reports that messages may be missing. */
  lose(topics: readonly string[] = this.topics): void {
    for (const topic of topics) this.#receivers.get(topic)?.lost(topic)
  }

  take(topic: string, incoming: Incoming): void {
    const receiver = this.#receivers.get(topic)
    if (receiver !== undefined && incoming.position !== undefined) receiver.seen = incoming.position
    const held = this.#held.get(topic)
    if (held !== undefined) {
      this.#hold(topic, held, incoming)
    } else if (incoming.message !== undefined) {
      receiver?.receive(incoming.message, topic, incoming.position)
    } else {
      const behind: Incoming[] = []
      this.#held.set(topic, behind)
      void this.#readAll(topic, incoming, behind)
    }
  }

  #hold(topic: string, held: Incoming[], incoming: Incoming): void {
    const bytes = costOf(incoming)
    if (this.#heldBytes + bytes > mostBytesHeld) {
      this.#release(topic)
      this.lose([topic])
      return
    }
    this.#heldBytes += bytes
    held.push(incoming)
  }

  #release(topic: string): void {
    for (const incoming of this.#held.get(topic) ?? []) this.#heldBytes -= costOf(incoming)
    this.#held.delete(topic)
  }

  async #readAll(topic: string, first: Incoming, behind: Incoming[]): Promise<void> {
    for (let incoming: Incoming | undefined = first; incoming !== undefined; incoming = behind.shift()) {
      if (incoming !== first) this.#heldBytes -= costOf(incoming)
      const message = incoming.message ?? (await incoming.read().catch(() => undefined))
      // Meanwhile nobody may want it, or something may have been lost.
      if (this.#held.get(topic) !== behind) return
      if (message === undefined) this.lose([topic])
      else this.#receivers.get(topic)?.receive(message, topic, incoming.position)
    }
    this.#held.delete(topic)
  }
}

const costOf = ({ message }: Incoming): number => (message?.length ?? 0) + overheadBytes
