import { Message } from '../message.ts'
import * as answers from './answers.ts'
import type { Session } from './session.ts'

/** A member of a topic, with one session or several. */
interface Entry {
  /** As others see it. */
  readonly json: string
  readonly sessions: Set<Session>
}

interface Place {
  readonly members: Map<string, Entry>
  readonly watchers: Set<Session>
}

/** Who is present in which topics, and who watches. */
export class Presence {
  readonly #places = new Map<string, Place>()
  readonly #topicsOf = new Map<Session, Set<string>>()
  readonly #most: number
  readonly #tell: (session: Session, notice: Message) => void
  #count = 0

  /**
   * @param most entries of all topics together
   * @param tell sends a notice to a watcher
   */
  constructor(most: number, tell: (session: Session, notice: Message) => void) {
    this.#most = most
    this.#tell = tell
  }

  get count(): number {
    return this.#count
  }

  /** Called when a session has subscribed to a topic. Beyond the limit it is not shown. */
  join(session: Session, topic: string): void {
    const { shown } = session
    if (shown === undefined) return
    const place = this.#placeOf(topic)
    const entry = place.members.get(shown.id)
    if (entry !== undefined) {
      entry.sessions.add(session)
    } else if (this.#count < this.#most) {
      this.#count++
      place.members.set(shown.id, { json: shown.json, sessions: new Set([session]) })
      this.#spread(place, answers.moved('joined', topic, shown.json))
    } else {
      this.#drop(topic, place)
      return
    }
    this.#remember(session, topic)
  }

  /** Called when a session ends its subscription to a topic. */
  part(session: Session, topic: string): void {
    const place = this.#places.get(topic)
    if (place === undefined) return
    this.#topicsOf.get(session)?.delete(topic)
    place.watchers.delete(session)
    const { id = '' } = session.shown ?? {}
    const entry = place.members.get(id)
    if (entry?.sessions.delete(session) && entry.sessions.size === 0) {
      place.members.delete(id)
      this.#count--
      this.#spread(place, answers.moved('left', topic, JSON.stringify({ id })))
    }
    this.#drop(topic, place)
  }

  leave(session: Session): void {
    for (const topic of this.#topicsOf.get(session) ?? []) this.part(session, topic)
    this.#topicsOf.delete(session)
  }

  /** Sends who is present, and from here on who joins and leaves. */
  watch(session: Session, topic: string): void {
    const place = this.#placeOf(topic)
    place.watchers.add(session)
    this.#remember(session, topic)
    const members = Array.from(place.members.values(), ({ json }) => json)
    session.send(answers.present(topic, members))
  }

  #spread({ watchers }: Place, notice: string): void {
    if (watchers.size === 0) return
    const message = new Message(notice, false, true)
    for (const watcher of watchers) this.#tell(watcher, message)
  }

  #placeOf(topic: string): Place {
    const place = this.#places.get(topic) ?? { members: new Map(), watchers: new Set() }
    this.#places.set(topic, place)
    return place
  }

  #remember(session: Session, topic: string): void {
    const topics = this.#topicsOf.get(session) ?? new Set()
    this.#topicsOf.set(session, topics.add(topic))
  }

  #drop(topic: string, { members, watchers }: Place): void {
    if (members.size === 0 && watchers.size === 0) this.#places.delete(topic)
  }
}
