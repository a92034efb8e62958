import type { HistoryBackplane, Position } from '../backplane.ts'
import type { Context } from '../context.ts'
import { type Opened, open } from '../envelope.ts'
import type { Link } from '../link.ts'
import { Publication } from '../publication.ts'
import type { Since } from '../serve/requests.ts'
import type { History } from './history.ts'
import type { Log, LogLimits } from './log.ts'
import { Mirror, type Source } from './mirror.ts'

/** Delay before a backplane that has failed to read is asked again, in milliseconds. */
const retryMs = 500

/**
 * How long to follow a topic after its last reader has left, in milliseconds, and how many such topics there may be. A
 * client that polls comes back before that, so the history is not read from the backplane for each of its polls.
 */
const restMs = 15_000
const mostResting = 1_000

/** How long a subscriber waits for the history of its topic, in milliseconds. */
const patienceMs = 5_000

interface Parts {
  readonly backplane: HistoryBackplane
  readonly history: History
  readonly limitsOf: (topic: string) => LogLimits | undefined
  /** Delivers a message to the subscribers at the end of its log. */
  readonly deliver: (publication: Publication) => void
  /** Reports to the subscribers at the end of a log that messages after an offset are missing. */
  readonly reportGap: (topic: string, log: Log, last: number) => void
}

/** The histories of topics on a backplane. This node follows those that it has subscribers for, or had just now. */
export class SharedHistory {
  readonly #parts: Parts
  readonly #link: Link
  readonly #context: Context
  readonly #mirrors = new Map<string, Mirror>()
  /** Topics with subscribers, and how many clients wait for each log. */
  readonly #wanted = new Set<string>()
  readonly #holds = new Map<string, number>()
  /** Topics that have lost their last reader, with the time, the first one in front. */
  readonly #resting = new Map<string, number>()
  readonly #late = new Set<() => void>()
  #timer: NodeJS.Timeout | undefined
  #restTimer: NodeJS.Timeout | undefined

  constructor(parts: Parts, link: Link, context: Context) {
    this.#parts = parts
    this.#link = link
    this.#context = context
  }

  /** Called when a topic gets its first subscriber. */
  want(topic: string): void {
    this.#follow(topic)
    this.#wanted.add(topic)
  }

  /** Called when a topic has lost its last subscriber. */
  release(topic: string): void {
    this.#wanted.delete(topic)
    this.#leave(topic)
  }

  /**
   * The log of a topic, without waiting if this node follows it already and knows the place from where a client wants to
   * go on. The client may come from a node that was faster. Call `done` afterwards.
   * @returns undefined if the topic has no history
   */
  open(topic: string, since?: Since): Log | undefined | Promise<Log> {
    this.#follow(topic)
    this.#holds.set(topic, (this.#holds.get(topic) ?? 0) + 1)
    const mirror = this.#mirrors.get(topic)
    const log = mirror?.log
    if (mirror === undefined || log === undefined) return undefined
    // The first read may have begun before the client saw its last message.
    if (log instanceof Promise) return this.#inTime(log.then((read) => (isAhead(read, since) ? mirror.fresh : read)))
    return isAhead(log, since) ? this.#inTime(mirror.fresh) : log
  }

  /** Ends what `open` has begun. */
  done(topic: string): void {
    const left = (this.#holds.get(topic) ?? 1) - 1
    if (left > 0) this.#holds.set(topic, left)
    else this.#holds.delete(topic)
    this.#leave(topic)
  }

  take(topic: string, message: Opened, position: Position): void {
    this.#mirrors.get(topic)?.take(message, position)
  }

  refresh(topic: string): void {
    this.#mirrors.get(topic)?.refresh()
  }

  /** Whether this node keeps the history of a topic up to date. */
  follows(topic: string): boolean {
    return this.#mirrors.has(topic)
  }

  close(): void {
    for (const topic of [...this.#mirrors.keys()]) this.#end(topic)
    clearTimeout(this.#timer)
    clearTimeout(this.#restTimer)
    this.#late.clear()
  }

  #isWanted(topic: string): boolean {
    return this.#wanted.has(topic) || this.#holds.has(topic)
  }

  #follow(topic: string): void {
    if (this.#isWanted(topic) || this.#resting.delete(topic)) return
    const limits = this.#parts.limitsOf(topic)
    if (limits !== undefined) this.#mirrors.set(topic, new Mirror(this.#sourceOf(topic, limits), limits.messages))
    this.#link.want(topic)
  }

  #leave(topic: string): void {
    if (this.#isWanted(topic)) return
    if (this.#mirrors.get(topic)?.isRead && this.#parts.history.hasMuchRoom) this.#rest(topic)
    else this.#drop(topic)
  }

  #rest(topic: string): void {
    this.#resting.set(topic, performance.now())
    const [first = topic] = this.#resting.keys()
    if (this.#resting.size > mostResting) this.#drop(first)
    this.#restTimer ??= this.#armRest(restMs)
  }

  #armRest(ms: number): NodeJS.Timeout {
    return this.#context.runInAsyncScope(() => setTimeout(() => this.#endRests(), ms).unref())
  }

  #endRests(): void {
    this.#restTimer = undefined
    const now = performance.now()
    for (const [topic, since] of this.#resting) {
      const left = since + restMs - now
      if (left > 0) {
        this.#restTimer = this.#armRest(Math.ceil(left))
        return
      }
      this.#drop(topic)
    }
  }

  #drop(topic: string): void {
    this.#end(topic)
    this.#link.release(topic)
  }

  #end(topic: string): void {
    this.#resting.delete(topic)
    this.#mirrors.get(topic)?.end()
    this.#mirrors.delete(topic)
    this.#parts.history.forget(topic)
  }

  #sourceOf(topic: string, limits: LogLimits): Source {
    const { backplane, deliver, history, reportGap } = this.#parts
    return {
      read: (after) => backplane.read(topic, after, limits),
      begin: (epoch, last) => history.begin(topic, epoch, limits, last),
      append: (log, message) => {
        const opened = Buffer.isBuffer(message) ? open(message) : message
        // An envelope of another version has an offset too.
        const { payload, isBinary, compress } = opened ?? unreadable
        const publication = new Publication(topic, log.last + 1, payload, isBinary, compress)
        history.append(topic, log, publication.served)
        deliver(publication)
      },
      skip: (log, last) => reportGap(topic, log, last),
      later: (retry) => this.#retryLater(retry)
    }
  }

  /** Rejects if it takes too long. */
  #inTime(log: Promise<Log>): Promise<Log> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('The history could not be read in time.')), patienceMs).unref()
      void log.then((value) => {
        clearTimeout(timer)
        resolve(value)
      })
    })
  }

  #retryLater(retry: () => void): void {
    this.#late.add(retry)
    this.#timer ??= this.#context.runInAsyncScope(() => setTimeout(() => this.#retryAll(), retryMs).unref())
  }

  #retryAll(): void {
    this.#timer = undefined
    const due = [...this.#late]
    this.#late.clear()
    for (const retry of due) retry()
  }
}

/** Whether a client has seen what this node has not, as far as it knows. */
const isAhead = (log: Log, since: Since | undefined): boolean =>
  typeof since === 'object' && (since.epoch !== log.epoch || since.offset > log.last)

const unreadable = { payload: Buffer.alloc(0), isBinary: true, compress: false }
