import type { Context } from './context.ts'

/**
 * What is kept of a command beside its bytes, most of it by the client. Measured with Node 20.20 and a Redis that does not
 * answer, as growth of the resident memory for each of 60,000 messages of 10 bytes: 3,450 bytes with node-redis 6, 3,000 with
 * ioredis 6. `test/memory.test.ts` keeps an eye on the sum.
 */
const overheadBytes = 3_072

interface Entry {
  readonly dueAt: number
  readonly reject: (error: Error) => void
  isOverdue: boolean
}

/** Messages that Redis has not acknowledged: neither their bytes nor the time is without bound. */
export class Pending {
  readonly #maxBytes: number
  readonly #timeoutMs: number
  readonly #entries = new Set<Entry>()
  readonly #context: Context
  #bytes = 0
  #overdue = 0
  #timer: NodeJS.Timeout | undefined
  #onEmpty = (): void => {}

  /** @param context of the timer, which is that of all messages */
  constructor(maxBytes: number, timeoutMs: number, context: Context) {
    this.#maxBytes = maxBytes
    this.#timeoutMs = timeoutMs
    this.#context = context
  }

  /** Whether some wait longer than they should. */
  get isOverdue(): boolean {
    return this.#overdue > 0
  }

  /** Rejects where there is no room, where the time is over, and where sending does. */
  run(length: number, send: () => Promise<unknown>): Promise<void> {
    const bytes = length + overheadBytes
    if (this.#bytes > 0 && this.#bytes + bytes > this.#maxBytes) {
      return Promise.reject(new Error(`Redis is behind: ${this.#bytes} bytes wait for its answer.`))
    }
    return new Promise((resolve, reject) => {
      const entry: Entry = { dueAt: performance.now() + this.#timeoutMs, reject, isOverdue: false }
      this.#bytes += bytes
      this.#entries.add(entry)
      this.#timer ??= this.#context.runInAsyncScope(() => setInterval(() => this.#look(), this.#timeoutMs / 4).unref())
      send()
        .then(() => resolve(), reject)
        .finally(() => this.#end(entry, bytes))
    })
  }

  /** Resolves when nothing is under way. */
  empty(): Promise<void> {
    return new Promise((resolve) => {
      this.#onEmpty = resolve
      if (this.#bytes === 0) resolve()
    })
  }

  /** It counts until the client has forgotten it, even if nobody waits for it any more. */
  #end(entry: Entry, bytes: number): void {
    this.#bytes -= bytes
    this.#entries.delete(entry)
    if (entry.isOverdue) this.#overdue--
    if (this.#bytes === 0) this.#onEmpty()
  }

  /** All have the same time, so they are due in the order in which they came. */
  #look(): void {
    const now = performance.now()
    for (const entry of this.#entries) {
      if (entry.dueAt > now) break
      this.#entries.delete(entry)
      this.#overdue++
      entry.isOverdue = true
      entry.reject(new Error(`Redis has not answered in ${this.#timeoutMs} ms. It may have passed the message on.`))
    }
    if (this.#entries.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
