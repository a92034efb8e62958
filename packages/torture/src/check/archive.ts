import { type Entry, lineOf } from '../journal.ts'
import type { Contradiction } from './contradiction.ts'

/** Where a client saw a message. */
export interface Sighting {
  readonly topic: string
  readonly epoch: string
  readonly offset: number
  readonly payload: string
  readonly at: number
  readonly line: () => string
}

/** All messages that any client has seen, and all epochs. */
export class Archive {
  /** The first sighting of each place. */
  readonly #places = new Map<string, Sighting>()
  readonly #payloads = new Map<string, Sighting[]>()
  /** When each epoch of a topic was first seen. */
  readonly #epochs = new Map<string, Map<string, number>>()

  /** Notes an epoch of a topic. */
  live(topic: string, epoch: string, at: number): void {
    const epochs = this.#epochs.get(topic) ?? new Map<string, number>()
    this.#epochs.set(topic, epochs)
    epochs.set(epoch, Math.min(epochs.get(epoch) ?? Infinity, at))
  }

  /** @returns a contradiction if another message was seen in the same place */
  add(name: string, epoch: string, entry: Entry & { kind: 'message' }): Contradiction | undefined {
    const { topic, offset, payload, at } = entry
    const place = `${epoch}:${offset} ${topic}`
    const sighting = { topic, epoch, offset, payload, at, line: () => lineOf(name, entry) }
    const earlier = this.#places.get(place)
    if (earlier === undefined) {
      this.#places.set(place, sighting)
      this.#payloads.set(payload, [...(this.#payloads.get(payload) ?? []), sighting])
      return undefined
    }
    // Logs are read one after the other.
    if (at < earlier.at) Object.assign(earlier, { at, line: sighting.line })
    if (earlier.payload === payload) return undefined
    return { what: `Two messages are at ${place}.`, lines: [earlier.line(), sighting.line()] }
  }

  at(topic: string, epoch: string, offset: number): Sighting | undefined {
    return this.#places.get(`${epoch}:${offset} ${topic}`)
  }

  /** Where a message was seen, once for each place. */
  sightingsOf(payload: string): readonly Sighting[] {
    return this.#payloads.get(payload) ?? []
  }

  get sightings(): Iterable<readonly [payload: string, sightings: readonly Sighting[]]> {
    return this.#payloads
  }

  /** When the last epoch of a topic was first seen. */
  newestEpochOf(topic: string): number {
    return Math.max(0, ...(this.#epochs.get(topic)?.values() ?? []))
  }
}
