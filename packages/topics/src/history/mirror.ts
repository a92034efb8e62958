import type { Kept, Position } from '../backplane.ts'
import type { Opened } from '../envelope.ts'
import type { Log } from './log.ts'

/** What a mirror does with messages, and how it gets those that it lacks. */
export interface Source {
  /** Reads what the backplane has kept. */
  read(after: Position | undefined): Promise<Kept>
  /** Begins another log, whose next message has the offset after `last`. */
  begin(epoch: string, last: number): Log
  /** Appends a message that was read or received, and delivers it. */
  append(log: Log, message: Opened | Buffer): void
  /** Reports that the messages before the first of the log are missing to those who are at its end. */
  skip(log: Log, last: number): void
  /** Calls later, when the backplane may be back. */
  later(retry: () => void): void
}

/** Follows the history of one topic on a backplane: keeps messages in order, and reads those that did not arrive. */
export class Mirror {
  readonly #source: Source
  readonly #mostEarly: number
  /** Messages behind one that has not arrived. */
  readonly #early = new Map<number, Opened>()
  readonly #waiting: ((log: Log) => void)[] = []
  /** Those who wait for a read that begins after they have asked. */
  readonly #asking: ((log: Log) => void)[] = []
  #earlyEpoch: string | undefined
  #log: Log | undefined
  #isReading = false
  #isStale = false
  #isEnded = false

  /** @param mostEarly how many messages to hold behind one that has not arrived */
  constructor(source: Source, mostEarly: number) {
    this.#source = source
    this.#mostEarly = mostEarly
  }

  /** The log; a promise of it before it was read. */
  get log(): Log | Promise<Log> {
    return this.#log ?? new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Whether it has read the log once. */
  get isRead(): boolean {
    return this.#log !== undefined
  }

  /** The log with everything that was appended until now. */
  get fresh(): Promise<Log> {
    const log = new Promise<Log>((resolve) => this.#asking.push(resolve))
    this.refresh()
    return log
  }

  /** Takes a message from the backplane, in whichever order it arrives. */
  take(message: Opened, { epoch, offset }: Position): void {
    const log = this.#log
    if (log?.epoch === epoch && offset <= log.last) return
    if (log?.epoch === epoch && offset === log.last + 1) {
      this.#source.append(log, message)
      if (this.#early.size > 0) this.#takeEarly(log)
      return
    }
    if (this.#earlyEpoch !== epoch) this.#early.clear()
    this.#earlyEpoch = epoch
    if (this.#early.size < this.#mostEarly) this.#early.set(offset, message)
    this.refresh()
  }

  /** Reads what may be missing. */
  refresh(): void {
    this.#isStale = true
    if (!this.#isReading && !this.#isEnded) void this.#read()
  }

  /** Takes nothing from now on. */
  end(): void {
    this.#isEnded = true
    this.#early.clear()
  }

  async #read(): Promise<void> {
    this.#isReading = true
    try {
      while (this.#isStale && !this.#isEnded) {
        this.#isStale = false
        await this.#readOnce()
      }
      // What was read may be older than what has arrived, for example if a replica has answered.
      if (this.#early.size > 0 && !this.#isEnded) this.#source.later(() => this.refresh())
    } catch {
      // The backplane reports its own errors.
      this.#source.later(() => this.refresh())
    }
    this.#isReading = false
  }

  async #readOnce(): Promise<void> {
    const asking = this.#asking.splice(0)
    try {
      const kept = await this.#source.read(this.#log && { epoch: this.#log.epoch, offset: this.#log.last })
      if (this.#isEnded) return
      const log = this.#apply(kept)
      for (const resolve of asking) resolve(log)
    } catch (error) {
      this.#asking.push(...asking)
      throw error
    }
  }

  #apply({ epoch, last, messages }: Kept): Log {
    const before = last - messages.length
    const isSame = this.#log?.epoch === epoch
    const log = isSame && this.#log !== undefined ? this.#log : this.#source.begin(epoch, before)
    const isFirst = this.#log === undefined
    this.#log = log
    // Something has arrived meanwhile.
    const known = log.last
    if (isSame && before > known) {
      log.skip(before)
      this.#source.skip(log, known)
    } else if (!isSame && !isFirst) {
      this.#source.skip(log, 0)
    }
    for (const message of messages.slice(Math.max(0, log.last - before))) this.#source.append(log, message)
    this.#takeEarly(log)
    for (const resolve of this.#waiting.splice(0)) resolve(log)
    return log
  }

  /** Takes the early messages that are next. */
  #takeEarly(log: Log): void {
    if (this.#earlyEpoch !== log.epoch) {
      this.#early.clear()
      return
    }
    for (let next = this.#early.get(log.last + 1); next !== undefined; next = this.#early.get(log.last + 1)) {
      this.#early.delete(log.last + 1)
      this.#source.append(log, next)
    }
    for (const offset of this.#early.keys()) if (offset <= log.last) this.#early.delete(offset)
  }
}
