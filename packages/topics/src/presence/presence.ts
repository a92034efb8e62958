import type { Context } from '../context.ts'
import { pieceBytes } from '../cost.ts'
import type { Link } from '../link.ts'
import { Message } from '../message.ts'
import * as answers from '../serve/answers.ts'
import type { Session } from '../serve/session.ts'
import { Exchange } from './exchange.ts'
import { Place, type Presentee } from './place.ts'
import { Room } from './room.ts'

/** How often watched topics are asked for at other nodes, in milliseconds. A node that dies is noticed after three. */
export const intervalMs = 20_000

/** How long changes are gathered before watchers are told, in milliseconds, if there may be many. */
const gatherMs = 100

/**
 * Changes of a topic that watchers are told at once in this time. Of more than these they get the whole list, if it takes
 * less memory while it waits for a client.
 */
const mostNotices = 100

/** How long a client that polls is shown after a response, in milliseconds, and how often to look. */
const [lingerMs, lookMs] = [10_000, 1_000]

interface Parts {
  /** Entries of all topics together. */
  readonly most: number
  /** Sends a notice to a watcher. */
  readonly tell: (session: Session, topic: string, notice: Message) => void
  /** To other nodes; undefined if there are none. */
  readonly link: Link | undefined
  readonly context: Context
  readonly intervalMs: number
}

/** Who is present in which topics, and who watches. */
export class Presence {
  readonly #places = new Map<string, Place>()
  readonly #topicsOf = new Map<Session, Set<string>>()
  readonly #room: Room
  readonly #parts: Parts
  readonly #exchange: Exchange | undefined
  /** Topics with changes that their watchers are told soon. */
  readonly #late = new Map<string, Place>()
  #timer: NodeJS.Timeout | undefined
  /** Clients between two polls, by their ID and the topic, in the order in which they leave unless they come back. */
  readonly #lingering = new Map<string, { readonly who: Presentee; readonly topic: string; readonly until: number }>()
  #looker: NodeJS.Timeout | undefined

  constructor(parts: Parts) {
    const { context, intervalMs, link, most } = parts
    this.#parts = parts
    this.#room = new Room(most)
    const placeOf = (topic: string): Place | undefined => this.#places.get(topic)
    const onChange = (topic: string, place: Place, isBulk: boolean): void => this.#change(topic, place, isBulk)
    this.#exchange = link && new Exchange({ link, context, intervalMs, placeOf, onChange })
  }

  /** Entries: members of topics, counted once for each node that has them. */
  get count(): number {
    return this.#room.taken
  }

  /** Called when a session has subscribed to a topic. Beyond the limit it is not shown. */
  join(session: Session, topic: string): void {
    const { shown } = session
    if (shown === undefined) return
    const place = this.#placeOf(topic)
    const { own } = place
    if (!place.join(session, shown)) {
      this.#drop(topic, place)
      return
    }
    this.#remember(session, topic)
    if (place.own > own) this.#exchange?.joined(topic, place, shown.json)
    this.#change(topic, place, false)
  }

  /** Called when a session ends its subscription to a topic. */
  part(session: Session, topic: string): void {
    const place = this.#places.get(topic)
    if (place === undefined) return
    this.#topicsOf.get(session)?.delete(topic)
    const wasWatcher = place.watchers.delete(session)
    if (wasWatcher && place.watchers.size === 0) this.#exchange?.unwatch(topic, place)
    this.#remove(session, topic, place)
  }

  /** Called when a session ends. */
  leave(session: Session): void {
    for (const topic of this.#topicsOf.get(session) ?? []) {
      if (session.isPoll) this.#linger(session, topic)
      this.part(session, topic)
    }
    this.#topicsOf.delete(session)
  }

  /** Sends who is present as far as this node knows, and from here on who joins and leaves. */
  watch(session: Session, topic: string): void {
    const place = this.#placeOf(topic)
    this.#flush(topic, place)
    const isFirst = place.watchers.size === 0
    place.watchers.add(session)
    this.#remember(session, topic)
    this.#parts.tell(session, topic, new Message(answers.present(topic, place.members), false, true))
    if (isFirst) this.#exchange?.watch(topic, place)
  }

  /** The answer that lists who is present in a topic, as far as this node knows; undefined if nobody is, or watches. */
  presentIn(topic: string): string | undefined {
    const place = this.#places.get(topic)
    if (place === undefined) return undefined
    this.#flush(topic, place)
    return answers.present(topic, place.members)
  }

  /** Called when the backplane has subscribed to a topic, and when notices of other nodes may have been lost. */
  refresh(topic: string): void {
    const place = this.#places.get(topic)
    if (place !== undefined) this.#exchange?.refresh(topic, place)
  }

  /**
   * Takes a notice of another node.
   * @returns false if it is none
   */
  receive(topic: string, node: string, notice: Buffer): boolean {
    return this.#exchange?.receive(topic, node, notice) === true
  }

  /** Tells other nodes that nobody is present here any more. Nothing is told after that. */
  close(): void {
    this.#exchange?.close(this.#places)
    clearTimeout(this.#timer)
    clearInterval(this.#looker)
  }

  #remove(who: Presentee, topic: string, place: Place): void {
    const { own } = place
    place.part(who)
    if (place.own < own) this.#exchange?.left(topic, place, who.shown?.id ?? '')
    this.#change(topic, place, false)
    this.#drop(topic, place)
  }

  /** Keeps a client that polls for a while: otherwise it would leave and join with each poll. */
  #linger({ shown }: Session, topic: string): void {
    const place = this.#places.get(topic)
    if (shown === undefined || place === undefined) return
    const name = `${topic}\n${shown.id}`
    const who = this.#lingering.get(name)?.who ?? { shown }
    if (!place.join(who, shown)) return
    this.#lingering.delete(name)
    this.#lingering.set(name, { who, topic, until: performance.now() + lingerMs })
    this.#looker ??= this.#parts.context.runInAsyncScope(() => setInterval(() => this.#look(), lookMs).unref())
  }

  /** Lets those go who have not come back. */
  #look(): void {
    const now = performance.now()
    for (const [name, { topic, until, who }] of this.#lingering) {
      if (until > now) return
      this.#lingering.delete(name)
      const place = this.#places.get(topic)
      if (place !== undefined) this.#remove(who, topic, place)
    }
    clearInterval(this.#looker)
    this.#looker = undefined
  }

  /** Tells watchers what has changed: at once, or together with what is likely to follow. */
  #change(topic: string, place: Place, isBulk: boolean): void {
    if (place.untold.size === 0 || this.#late.has(topic)) return
    if (!isBulk && isCalm(place)) {
      this.#flush(topic, place)
      return
    }
    this.#late.set(topic, place)
    this.#timer ??= this.#parts.context.runInAsyncScope(() => setTimeout(() => this.#flushAll(), gatherMs).unref())
  }

  #flushAll(): void {
    this.#timer = undefined
    for (const [topic, place] of [...this.#late]) this.#flush(topic, place)
  }

  #flush(topic: string, place: Place): void {
    if (this.#late.get(topic) === place) this.#late.delete(topic)
    const notices = place
      .takeChanges()
      .map(([id, json]) =>
        json === undefined ? answers.moved('left', topic, JSON.stringify({ id })) : answers.moved('joined', topic, json)
      )
    const list = notices.length > mostNotices ? answers.present(topic, place.members) : undefined
    const isShorter = list !== undefined && list.length < notices.length * pieceBytes
    this.#spread(topic, place, isShorter ? [list] : notices)
  }

  #spread(topic: string, { watchers }: Place, notices: readonly string[]): void {
    for (const notice of notices) {
      const message = new Message(notice, false, true)
      for (const watcher of watchers) this.#parts.tell(watcher, topic, message)
    }
  }

  #placeOf(topic: string): Place {
    const place = this.#places.get(topic) ?? new Place(this.#room)
    this.#places.set(topic, place)
    return place
  }

  #remember(session: Session, topic: string): void {
    const topics = this.#topicsOf.get(session) ?? new Set()
    this.#topicsOf.set(session, topics.add(topic))
  }

  #drop(topic: string, place: Place): void {
    if (!place.isEmpty || this.#places.get(topic) !== place) return
    this.#places.delete(topic)
    this.#late.delete(topic)
  }
}

/** Whether there were few changes lately. */
function isCalm(place: Place): boolean {
  const now = performance.now()
  if (place.toldFrom < now - gatherMs) {
    place.toldFrom = now
    place.told = 0
  }
  return ++place.told <= mostNotices
}
