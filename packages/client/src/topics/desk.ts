import type { Answer } from './answer.ts'
import { TopicsClientError, type TopicsErrorCode } from './errors.ts'
import { Feed, type Reader } from './feed.ts'
import { type Pending, pend } from './pending.ts'
import { type Member, Presence } from './presence.ts'
import type { Outgoing, Wire } from './wire.ts'

/** How many milliseconds to wait, at most, before a busy server is asked again. */
const busyMs = 2_000

/** What one request over HTTP may name: topics, and characters of its query with what stands around each topic. */
const [mostTopics, longestQuery, longestPair] = [100, 14_000, 90]

/** What a tab says of a message that another tab has to send. */
interface Handed {
  readonly id: string
  /** Until when it may be sent, if it was sent before. */
  readonly endsAt: number | undefined
  /** Called when it is sent for the first time. */
  readonly onFirst: (endsAt: number) => void
}

/** What is the same over every way to the server: the topics, and the messages that were not acknowledged. */
export class Desk {
  readonly #feeds = new Map<string, Feed>()
  readonly #presences = new Map<string, Presence>()
  readonly #outbox = new Map<string, Pending>()
  readonly #maxPending: number
  readonly #prefix = `${random()}${random()}-`
  #ids = 0
  #wire: Wire | undefined
  #isClosed = false

  constructor(maxPending: number) {
    this.#maxPending = maxPending
  }

  /** Goes on over another way, or waits for one. */
  use(wire: Wire | undefined): void {
    this.#wire = wire
    for (const feed of this.#feeds.values()) feed.lose()
    for (const presence of this.#presences.values()) presence.isAsked = false
    for (const topic of [...this.#feeds.keys()]) this.#settle(topic)
    for (const message of [...this.#outbox.values()]) wire?.publish(message)
  }

  get isWatching(): boolean {
    return this.#presences.size > 0
  }

  /** Where to go on in each topic, for a request that names them all. */
  ask(): [topic: string, since: string][] {
    for (const presence of this.#presences.values()) presence.isAsked = true
    const asked: [string, string][] = []
    let length = 0
    for (const [topic, feed] of [...this.#feeds]) {
      feed.reset()
      length += encodeURIComponent(topic).length + longestPair
      if (feed.readers.size === 0) {
        this.#feeds.delete(topic)
      } else if (length > longestQuery || asked.length === mostTopics) {
        this.#refused(topic, ['limit', 'subscribe'])
      } else {
        const since = feed.wanted() as string
        feed.asked = since
        asked.push([topic, since])
      }
    }
    return asked
  }

  /** @throws TypeError if the topic is not one, TopicsClientError if it is closed */
  subscribe(topic: string, reader: Reader): () => void {
    this.#check(topic)
    const feed = this.#feeds.get(topic) ?? new Feed()
    this.#feeds.set(topic, feed)
    feed.add(reader)
    this.#settle(topic)
    return () => {
      if (feed.readers.delete(reader)) this.#settle(topic)
    }
  }

  watch(topic: string, onChange: (members: ReadonlyMap<string, Member>) => void): () => void {
    const presence = this.#presences.get(topic) ?? new Presence()
    this.#presences.set(topic, presence)
    // Only subscribers may ask.
    const leave = this.subscribe(topic, {
      place: '-',
      onMessage() {},
      onSubscribed() {},
      onGap() {},
      onError() {}
    })
    const stop = presence.add(onChange)
    this.#settle(topic)
    return () => {
      if (stop() === 0) this.#presences.delete(topic)
      leave()
    }
  }

  publish(topic: string, data: Outgoing['data'], handed: Partial<Handed> = {}): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      this.#check(topic)
      if (this.#outbox.size >= this.#maxPending) {
        throw new TopicsClientError('busy', `${this.#maxPending} messages wait for their acknowledgement.`)
      }
      const { id = this.#prefix + ++this.#ids, endsAt, onFirst } = handed
      const onEnd: Pending['end'] = (error, offset) => {
        // A tab may have handed it over once more.
        if (this.#outbox.get(id) === message) this.#outbox.delete(id)
        if (error === undefined) resolve(offset)
        else reject(error)
      }
      const message = pend({ id, topic, data }, onEnd, onFirst)
      this.#outbox.set(id, message)
      if (endsAt !== undefined) message.begin(endsAt)
      this.#wire?.publish(message)
    })
  }

  /** @throws if the answer is wrong */
  hear(answer: Answer): void {
    const { kind, topic, fields, payload } = answer
    const [first = ''] = fields
    const feed = this.#feeds.get(topic)
    switch (kind) {
      case 'message':
        if (feed?.message(answer) === false) throw new SyntaxError(`unexpected message ${first} in ${topic}`)
        return
      case 'subscribed':
        feed?.subscribed(answer)
        break
      case 'gap':
        feed?.gap(answer)
        return
      case 'unsubscribed':
        feed?.reset()
        break
      case 'published':
        this.#outbox.get(first)?.end(undefined, fields[1] === '-' ? undefined : Number(fields[1]))
        return
      // From the tab that has the connection; servers do not say it.
      case 'sent':
        this.#outbox.get(first)?.begin(Number(fields[1]))
        return
      case 'error':
        this.#refused(topic, fields)
        return
      case 'present':
      case 'joined':
      case 'left':
        this.#presences.get(topic)?.hear(kind, JSON.parse(String(payload)))
    }
    this.#settle(topic)
  }

  close(): void {
    const error = closed()
    this.#isClosed = true
    for (const message of [...this.#outbox.values()]) message.end(error)
    this.#feeds.clear()
    this.#presences.clear()
    this.#wire = undefined
  }

  #check(topic: string): void {
    if (this.#isClosed) throw closed()
    if (typeof topic !== 'string' || !/^[ -~\u0080-\ud7ff\ue000-\u{10ffff}]+$/u.test(topic)) {
      throw new TypeError('A topic is a string of at least 1 character, without control characters.')
    }
  }

  /** Makes the next request about a topic, if there is one to make. */
  #settle(topic: string): void {
    const [feed, wire] = [this.#feeds.get(topic), this.#wire]
    if (feed === undefined || wire === undefined || feed.asked !== undefined) return
    if (feed.readers.size === 0) {
      if (feed.isLive) {
        feed.asked = ''
        wire.unsubscribe(topic)
      } else {
        this.#feeds.delete(topic)
      }
      return
    }
    feed.asked = feed.wanted()
    const presence = this.#presences.get(topic)
    if (feed.asked !== undefined) {
      wire.subscribe(topic, feed.asked)
      if (presence !== undefined) presence.isAsked = false
    } else if (presence?.isAsked === false) {
      presence.isAsked = true
      wire.watch(topic)
    }
  }

  #refused(topic: string, [code, what, id = '']: readonly string[]): void {
    const feed = this.#feeds.get(topic)
    const isFinal = code === 'forbidden' || code === 'limit'
    const error = new TopicsClientError(code as TopicsErrorCode, `The server refused to ${what} ${topic}: ${code}`)
    const later = (again: () => void): void => void setTimeout(again, Math.random() * busyMs)
    if (what === 'publish') {
      const message = this.#outbox.get(id)
      if (isFinal) message?.end(error)
      else if (message !== undefined) later(() => message.isOver || this.#wire?.publish(message))
    } else if (what === 'subscribe' && feed !== undefined) {
      feed.reset()
      if (isFinal) {
        const readers = [...feed.readers]
        this.#feeds.delete(topic)
        for (const { onError } of readers) onError(error)
      } else {
        feed.asked = code
        const wire = this.#wire
        later(() => {
          if (this.#wire !== wire || feed.asked !== code) return
          feed.asked = undefined
          this.#settle(topic)
        })
      }
    }
  }
}

const closed = (): TopicsClientError => new TopicsClientError('closed', 'The topics are closed.')

/** Letters and digits that nobody guesses by accident. */
export const random = (): string => Math.random().toString(36).slice(2)
