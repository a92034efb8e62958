import { setTimeout as sleep } from 'node:timers/promises'
import type { Position } from '@oneport/client'
import type { Random } from '@oneport/kit'
import type { Journal } from '../journal.ts'
import { textOf } from './answer.ts'
import type { Host, Owner } from './host.ts'
import type { Command, News } from './library.ts'
import type { Participant, View } from './participant.ts'

export interface LibraryClientOptions {
  readonly name: string
  readonly topics: readonly string[]
  readonly random: Random
  readonly journal: Journal
  /** What others see of it. */
  readonly id: string
  /** Whether it watches who is subscribed to its first topic. */
  readonly watches: boolean
  /** Whether the library keeps its positions over a reload, so that it need not be told. */
  readonly persist: boolean
  /** How long a request may take, in milliseconds. */
  readonly answerMs: number
  readonly host: (owner: Owner) => Host
}

/** A message that was handed to the library. */
interface Pending {
  /** How long the library had been hearing then, in milliseconds. */
  readonly since: number
  /** Which connection there was. */
  readonly connection: number
}

/** A client of `@oneport/client`, which writes the same log as `Client`. */
export class LibraryClient implements Participant, Owner {
  readonly name: string
  readonly topics: readonly string[]
  readonly id: string
  reconnects = 0
  deliveries = 0
  gaps = 0
  acknowledged = 0
  readonly #options: LibraryClientOptions
  readonly #journal: Journal
  readonly #host: Host
  readonly #positions = new Map<string, Position>()
  readonly #pending = new Map<string, Pending>()
  readonly #abandoned = new Set<string>()
  /** Topics that it does not want for a while, those of them that its library still sends, and those that are sent. */
  readonly #away = new Set<string>()
  readonly #leaving = new Set<string>()
  readonly #live = new Set<string>()
  #connection = 0
  #ids: readonly string[] | undefined
  #transport: string | undefined
  #left: (() => void) | undefined
  #hasLeft = false
  #published = 0
  /** For how long its library could hear, in milliseconds, up to the last look. */
  #hearingMs = 0
  #lookedAt = performance.now()

  constructor(options: LibraryClientOptions) {
    this.name = options.name
    this.id = options.id
    this.topics = options.topics
    this.#options = options
    this.#journal = options.journal
    this.#host = options.host(this)
  }

  /** Stays connected until `leave`. Never rejects. */
  async stay(): Promise<void> {
    const left = new Promise<void>((resolve) => {
      this.#left = resolve
    })
    await Promise.race([this.#host.open(), left])
    await left
    await this.#host.close()
  }

  leave(): void {
    this.#hasLeft = true
    this.#left?.()
  }

  /** Does not read for a while. */
  doze(ms: number): Promise<void> {
    return this.#host.doze(ms)
  }

  reload(ms: number): Promise<void> {
    return this.#host.reload(ms)
  }

  /** Unsubscribes from a topic, and subscribes again after a while. A client always has a topic. */
  async part(ms: number): Promise<void> {
    const { persist, random } = this.#options
    const wanted = this.#wanted
    if (wanted.length < 2) return
    const topic = random.pick(wanted)
    this.#away.add(topic)
    this.#leaving.add(topic)
    this.#host.obey({ what: 'unsubscribe', topic })
    await sleep(ms)
    // Messages may arrive until then, so it does not know yet from where to go on.
    while (this.#leaving.has(topic) && !this.#hasLeft) await sleep(lookMs)
    if (this.#hasLeft) return
    this.#away.delete(topic)
    const since = persist && random.chance(0.5) ? undefined : this.#positions.get(topic)
    this.#host.obey({ what: 'subscribe', topic, since })
  }

  /** Reports messages that should have been acknowledged, on the connection that they were sent on. */
  checkAnswers(): void {
    const { answerMs } = this.#options
    const now = performance.now()
    if (!this.#host.isAway) this.#hearingMs += now - this.#lookedAt
    this.#lookedAt = now
    const from = this.#hearingMs - answerMs
    for (const [id, { connection, since }] of this.#pending) {
      if (since > from || connection !== this.#connection || this.#transport !== 'websocket') continue
      this.#trouble(`no answer to publish ${id} in ${answerMs} ms`)
      this.#pending.delete(id)
    }
  }

  /** Those that are published are all that it knows of. */
  get unanswered(): number {
    return this.#pending.size
  }

  publish(topic: string, data: string | Buffer): void {
    const id = `${this.name}-${++this.#published}`
    const payload = textOf(data)
    this.#pending.set(id, { since: this.#hearingMs, connection: this.#connection })
    // The library does not tell how often it sends.
    for (let time = 0; time < 2; time++) this.#journal.write({ kind: 'send', id, topic, payload })
    this.#host.obey({ what: 'publish', id, topic, payload })
  }

  /** Number of messages that were not acknowledged. */
  get unacknowledged(): number {
    return this.#pending.size
  }

  /** Number of messages of which nobody knows whether they were published. */
  get abandoned(): number {
    return this.#abandoned.size
  }

  /** Where the client is in a topic, as in `since` of the protocol. */
  sinceOf = (topic: string): string => {
    const position = this.#positions.get(topic)
    return position === undefined ? '-' : `${position.epoch}:${position.offset}`
  }

  get view(): View | undefined {
    const [topic] = this.topics
    // A poll is answered with those that its process knows of.
    if (!this.#options.watches || topic === undefined || this.#transport === 'poll') return undefined
    return { topic, ids: this.#ids }
  }

  beginning(): Command[] {
    const { persist, watches } = this.#options
    const [first] = this.topics
    return [
      ...this.#wanted.map((topic) => ({
        what: 'subscribe' as const,
        topic,
        since: persist ? undefined : this.#positions.get(topic)
      })),
      ...(watches && first !== undefined ? [{ what: 'watch' as const, topic: first }] : [])
    ]
  }

  hear(news: News): void {
    switch (news.kind) {
      case 'subscribed':
      case 'message':
      case 'gap':
        if (news.position === undefined) this.#trouble(`${news.kind} without a position`)
        else this.#move(news, news.position)
        break
      case 'unsubscribed':
        this.#live.delete(news.topic)
        this.#leaving.delete(news.topic)
        this.#journal.write(news)
        break
      case 'members':
        this.#ids = news.ids
        break
      case 'published':
        this.acknowledged++
        this.#pending.delete(news.id)
        this.#abandoned.delete(news.id)
        this.#journal.write({ kind: 'published', id: news.id, offset: news.offset ?? 0 })
        break
      case 'not published':
        this.#abandon(news.id)
        // What was sent a minute ago and never answered must not be sent again.
        if (news.code !== 'unknown' && news.code !== 'closed') this.#trouble(`not published: ${news.error}`)
        break
      case 'state':
        this.#connection++
        this.#transport = news.transport
        if (news.state === 'open') this.reconnects++
        break
      case 'trouble':
        this.#trouble(news.what)
    }
  }

  lose(): void {
    this.#connection++
    this.#transport = undefined
    this.#live.clear()
    this.#leaving.clear()
    this.#ids = undefined
    this.#journal.write({ kind: 'lost' })
    // Nobody knows whether they were published.
    for (const id of [...this.#pending.keys()]) this.#abandon(id)
  }

  lost(command: Command): void {
    if (command.what === 'publish') this.#abandon(command.id)
    else if (command.what === 'unsubscribe') this.#leaving.delete(command.topic)
  }

  #abandon(id: string): void {
    if (this.#pending.delete(id)) this.#abandoned.add(id)
  }

  /** Those that it wants at the moment. */
  get #wanted(): readonly string[] {
    return this.topics.filter((topic) => !this.#away.has(topic))
  }

  #move(news: News & { kind: 'subscribed' | 'message' | 'gap' }, position: Position): void {
    const { kind, topic } = news
    const isFirst = !this.#positions.has(topic)
    if (kind === 'message') {
      this.deliveries++
      this.#journal.write({ kind, topic, offset: position.offset, payload: news.payload })
    } else if (kind === 'gap' && this.#live.has(topic)) {
      this.#journal.write({ kind, topic, ...position })
    } else {
      const beginning = kind === 'gap' ? kind : isFirst ? 'new' : 'resumed'
      this.#journal.write({ kind: 'ask', topic, since: this.sinceOf(topic) })
      this.#journal.write({ kind: 'subscribed', topic, ...position, beginning })
      this.#live.add(topic)
    }
    if (kind === 'gap') this.gaps++
    this.#positions.set(topic, position)
  }

  #trouble(what: string): void {
    this.#journal.write({ kind: 'trouble', what })
  }
}

/** How often to look whether a subscription has ended, in milliseconds. */
const lookMs = 20
