import type { Answer } from './answer.ts'
import type { TopicsClientError } from './errors.ts'

/** The place of a message in its topic. */
export interface Position {
  /** Names the life of the server's history. */
  readonly epoch: string
  /** The number of the message. */
  readonly offset: number
}

/** Whether a value from outside is a position as the protocol has them. */
export function isPosition(value: unknown): value is Position {
  const { epoch, offset } = (value ?? {}) as Partial<Position>
  const isEpoch = typeof epoch === 'string' && epoch.length <= 64 && /^\w[\w.-]*$/.test(epoch)
  return isEpoch && Number.isSafeInteger(offset) && (offset as number) >= 0
}

/** What the server no longer had for a reader. */
export interface Gap {
  /** Where the reader was; undefined if the topic had no history. */
  readonly from: Position | undefined
  /** Where it goes on; undefined if the topic has no history. */
  readonly to: Position | undefined
  /** How many messages are missing; undefined if nobody knows. */
  readonly missing: number | undefined
}

/** Where a reader begins: `'-'` with what comes from now on, `'all'` with all that is kept, or behind a message. */
export type Since = '-' | 'all' | Position

/** Somebody who reads a topic. */
export interface Reader {
  /** Where it is; `'live'` in a topic without history. */
  place: Since | 'live'
  onMessage(data: string | Uint8Array, position: Position | undefined): void
  onSubscribed(position: Position | undefined): void
  onGap(gap: Gap): void
  onError(error: TopicsClientError): void
}

export const textOf = (since: Since): string => (typeof since === 'string' ? since : `${since.epoch}:${since.offset}`)

/** One topic: its readers, which may be in different places, and what the server was asked. */
export class Feed {
  readonly readers = new Set<Reader>()
  /** What is asked for and was not answered: a `since`, or `''` for the end of the subscription. */
  asked: string | undefined
  /** Whether the server sends the topic. */
  isLive = false
  /** Where the server is. */
  #place: Position | undefined
  /** Readers that know that they are subscribed. */
  #told = new WeakSet<Reader>()

  /** Called when the server does not send the topic any more. */
  reset(): void {
    this.isLive = false
    this.asked = undefined
  }

  /** Called when the connection is lost. */
  lose(): void {
    this.reset()
    this.#told = new WeakSet()
  }

  /**
   * Where the server should begin, so that every reader gets what it wants. New readers go first, as only the head of the
   * topic is a place for them; those that are behind are asked for next.
   * @returns undefined if the server is there
   */
  wanted(): string | undefined {
    const places = [...this.readers].map(({ place }) => place)
    const at = this.#place
    if (this.isLive) {
      if (at === undefined) return undefined
      const behind = places.filter((place) => typeof place === 'string' || isBehind(place, at))
      return behind.length > 0 ? oldest(behind, at) : undefined
    }
    return oldest(places, at)
  }

  /** Takes a reader in, and if there is nothing to ask for, places it. */
  add(reader: Reader): void {
    this.readers.add(reader)
    if (!this.isLive || this.asked !== undefined) return
    const { place } = reader
    const at = this.#place
    // Otherwise it is asked for.
    if (typeof place === 'object' && (at === undefined || !isBehind(place, at))) this.#compare(reader, false)
    else if (place === '-' || at === undefined) this.#begin(reader)
  }

  /** Handles `subscribed`. */
  subscribed({ fields }: Answer): void {
    const { asked = '', readers } = this
    const [epoch = '', offset, beginning] = fields
    const at = placeIn(fields)
    this.#place = at
    this.isLive = true
    this.asked = undefined
    // The server has less than it had, in the same epoch.
    const isBack =
      beginning === 'gap' && asked.startsWith(`${epoch}:`) && Number(asked.slice(epoch.length + 1)) >= Number(offset)
    // Whether the server begins with the oldest message that it has. Otherwise, the readers that are behind are asked for next.
    const isAll = asked === 'all' || beginning === 'gap' || at === undefined
    for (const reader of [...readers]) {
      const { place } = reader
      if (place === asked || (at === undefined && (place === '-' || place === 'all'))) this.#begin(reader)
      else if (place === 'live' || (typeof place === 'object' && (isAll || !isBehind(place, at))))
        this.#compare(reader, isBack)
    }
  }

  /** Handles `gap`. */
  gap({ fields }: Answer): void {
    if (!this.isLive) return
    this.#place = placeIn(fields)
    for (const reader of [...this.readers]) {
      if (typeof reader.place === 'object' || reader.place === 'live') this.#compare(reader, false)
    }
  }

  /**
   * Handles `message`.
   * @returns whether it is the next one
   */
  message({ fields: [number], payload }: Answer): boolean {
    if (!this.isLive) return true
    const at = this.#place
    if ((at === undefined) !== (number === '-')) return false
    if (at === undefined) {
      for (const reader of [...this.readers]) if (reader.place === 'live') reader.onMessage(payload, undefined)
      return true
    }
    const position = { epoch: at.epoch, offset: at.offset + 1 }
    if (position.offset !== Number(number)) return false
    this.#place = position
    for (const reader of [...this.readers]) {
      const { place } = reader
      if (typeof place !== 'object' || place.epoch !== at.epoch || place.offset !== at.offset) continue
      // A reader that was added between two requests may be where the last one still sends.
      this.#tell(reader)
      // First, so that a reader that throws does not get it again.
      reader.place = position
      reader.onMessage(payload, position)
    }
    return true
  }

  #begin(reader: Reader): void {
    reader.place = this.#place ?? 'live'
    this.#tell(reader)
  }

  /** Tells a reader what it has missed, if it has. */
  #compare(reader: Reader, isGap: boolean): void {
    const from = reader.place as Position | 'live'
    const to = this.#place
    const isSame = typeof from === 'object' && from.epoch === to?.epoch
    if (isGap || !isSame || from.offset < to.offset) {
      const missing = isSame && to.offset > from.offset ? to.offset - from.offset : undefined
      reader.place = to ?? 'live'
      reader.onGap({ from: typeof from === 'object' ? from : undefined, to, missing })
    }
    this.#tell(reader)
  }

  #tell(reader: Reader): void {
    if (this.#told.has(reader)) return
    this.#told.add(reader)
    reader.onSubscribed(typeof reader.place === 'object' ? reader.place : undefined)
  }
}

/** The place that an answer names; undefined in a topic without history. */
const placeIn = ([epoch = '', offset]: readonly string[]): Position | undefined =>
  epoch === '-' ? undefined : { epoch, offset: Number(offset) }

/** Whether the server has to begin earlier for a reader, or to tell it what is missing. */
const isBehind = (place: Position, at: Position): boolean => place.epoch !== at.epoch || place.offset < at.offset

/** The first place that some readers want. */
function oldest(places: readonly (Since | 'live')[], at: Position | undefined): string {
  if (places.includes('-') || places.length === 0) return '-'
  if (places.includes('all')) return 'all'
  const known = places.filter((place) => typeof place === 'object')
  if (known.length === 0) return '-'
  // If an epoch has ended, the server begins with all that it has, so that one request is enough for everybody.
  const { epoch } = known.find(({ epoch }) => epoch !== at?.epoch) ?? (known[0] as Position)
  return textOf({
    epoch,
    offset: Math.min(...known.filter((place) => place.epoch === epoch).map(({ offset }) => offset))
  })
}
