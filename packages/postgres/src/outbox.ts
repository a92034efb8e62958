import type { KeptLimits, Position } from '@oneport/topics'
import type { Row } from './connection.ts'

/** Memory taken by a message until it was acknowledged, beyond its bytes. */
const overheadBytes = 2_048

/** Most messages in one transaction, and most bytes of them. A single one may be larger. */
const mostAtOnce = 500
const mostBytesAtOnce = 1_048_576

export interface Outgoing {
  readonly channel: string
  /** In base64. */
  readonly topic: string
  readonly message: Buffer
  /** Undefined if it is not kept. */
  readonly limits: KeptLimits | undefined
  /** In base64. */
  readonly name: string | undefined
}

interface Entry extends Outgoing {
  readonly resolve: (position: Position | undefined) => void
  readonly reject: (error: unknown) => void
}

/** Sends a batch. @returns the place of each message */
type Send = (batch: readonly Outgoing[]) => Promise<readonly Row[]>

/** Messages on their way to the server. Those that are handed over while a transaction runs share the next one. */
export class Outbox {
  readonly #maxBytes: number
  readonly #send: Send
  #waiting: Entry[] = []
  #bytes = 0
  #isSending = false
  #onEmpty = (): void => {}

  constructor(maxBytes: number, send: Send) {
    this.#maxBytes = maxBytes
    this.#send = send
  }

  add(outgoing: Outgoing): Promise<Position | undefined> {
    const bytes = costOf(outgoing)
    if (this.#bytes > 0 && this.#bytes + bytes > this.#maxBytes) {
      return Promise.reject(new Error(`PostgreSQL is too slow: it has not acknowledged ${this.#bytes} bytes.`))
    }
    this.#bytes += bytes
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...outgoing, resolve, reject })
      if (!this.#isSending) void this.#sendAll()
    })
  }

  /** Resolves when nothing is pending. */
  empty(): Promise<void> {
    return new Promise((resolve) => {
      this.#onEmpty = resolve
      if (this.#bytes === 0) resolve()
    })
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true
    // What is published in the same tick is sent together.
    await undefined
    while (this.#waiting.length > 0) {
      const batch = this.#take()
      // In the same order at all nodes, because topics are locked until the end of the transaction.
      batch.sort((one, other) => (one.topic < other.topic ? -1 : Number(one.topic > other.topic)))
      try {
        const rows = await this.#send(batch)
        for (const [index, { resolve }] of batch.entries()) resolve(positionOf(rows[index]))
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
      for (const entry of batch) this.#bytes -= costOf(entry)
    }
    this.#isSending = false
    this.#onEmpty()
  }

  #take(): Entry[] {
    let [count, bytes] = [0, 0]
    for (const { message } of this.#waiting) {
      bytes += message.length
      if (count > 0 && (count === mostAtOnce || bytes > mostBytesAtOnce)) break
      count++
    }
    return this.#waiting.splice(0, count)
  }
}

const costOf = ({ message, topic }: Outgoing): number => message.length + topic.length + overheadBytes

function positionOf(row: Row | undefined): Position | undefined {
  return typeof row?.epoch === 'string' ? { epoch: row.epoch, offset: Number(row.number) } : undefined
}
