import type { Context } from './context.ts'

/**
 * Overhead of each pending command, most of it in the client. Measured with Node 20.20 and a Redis that does not
 * answer, as growth of the resident memory for each of 60,000 messages of 10 bytes: 3,450 bytes with node-redis 6,
 * 3,000 with ioredis 6. `test/memory.test.ts` checks the total.
 */
const overheadBytes = 3_072

interface Entry {
  readonly dueAt: number
  readonly reject: (error: Error) => void
  isOverdue: boolean
}

/** Messages that Redis has not acknowledged, limited in bytes and time. */
export class Pending {
  readonly #maxBytes: number
  readonly #timeoutMs: number
  readonly #entries = new Set<Entry>()
  readonly #context: Context
  #bytes = 0
  #overdue = 0
  #timer: NodeJS.Timeout | undefined
  #onEmpty = (): void => {}

  /** @param context runs the timer, which all messages share */
  constructor(maxBytes: number, timeoutMs: number, context: Context) {
    this.#maxBytes = maxBytes
    this.#timeoutMs = timeoutMs
    this.#context = context
  }

  /** Whether any message has waited longer than the timeout. */
  get isOverdue(): boolean {
    return this.#overdue > 0
  }

  /** Rejects if there is no room, if the timeout expires, or if sending rejects. */
  run<T>(length: number, send: () => Promise<T>): Promise<T> {
    const bytes = length + overheadBytes
    if (this.#bytes > 0 && this.#bytes + bytes > this.#maxBytes) {
      return Promise.reject(new Error(`Redis is too slow: it has not acknowledged ${this.#bytes} bytes.`))
    }
    return new Promise((resolve, reject) => {
      const entry: Entry = { dueAt: performance.now() + this.#timeoutMs, reject, isOverdue: false }
      this.#bytes += bytes
      this.#entries.add(entry)
      this.#timer ??= this.#context.runInAsyncScope(() => setInterval(() => this.#look(), this.#timeoutMs / 4).unref())
      send()
        .then(resolve, reject)
        .finally(() => this.#end(entry, bytes))
    })
  }

  /** Resolves when nothing is pending. */
  empty(): Promise<void> {
    return new Promise((resolve) => {
      this.#onEmpty = resolve
      if (this.#bytes === 0) resolve()
    })
  }

  /** A message counts until the client has settled it, even after its timeout. */
  #end(entry: Entry, bytes: number): void {
    this.#bytes -= bytes
    this.#entries.delete(entry)
    if (entry.isOverdue) this.#overdue--
    if (this.#bytes === 0) this.#onEmpty()
  }

  /** All have the same timeout, so they expire in the order in which they were added. */
  #look(): void {
    const now = performance.now()
    for (const entry of this.#entries) {
      if (entry.dueAt > now) break
      this.#entries.delete(entry)
      this.#overdue++
      entry.isOverdue = true
      entry.reject(new Error(`Redis has not answered in ${this.#timeoutMs} ms. It may still have sent the message.`))
    }
    if (this.#entries.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
