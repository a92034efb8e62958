import { longestDelayMs } from './line.ts'
import { nearMiss, numberIn } from './near-miss.ts'
import { showValue } from './show.ts'

/** One direction of a connection. */
export type Direction = 'toServer' | 'toClient'

const directions: readonly Direction[] = ['toServer', 'toClient']

/** What holds up one direction. */
export interface Hold {
  /** Whether nothing passes. */
  isFrozen: boolean
  /** Time from one end to the other, in milliseconds. */
  delayMs: number
}

/** What holds up one direction of a network, or of a connection. */
export let holdsOf: (link: Link, direction: Direction) => Hold[]

/** What a network and each of its connections have in common. */
export abstract class Link {
  static {
    holdsOf = (link, direction) => link.#holdsOf(direction)
  }

  readonly #holdsOf: (direction: Direction) => Hold[]

  /** @internal */
  constructor(holds: (direction: Direction) => Hold[]) {
    this.#holdsOf = holds
  }

  /**
   * Lets nothing through: no message, no ping, not even the end of a connection. Neither end is told. What is sent is
   * kept for `thaw()`.
   * @param direction by default both
   * @throws TypeError for another direction
   */
  freeze(direction?: Direction): void {
    for (const hold of this.#holds('freeze', direction)) hold.isFrozen = true
  }

  /**
   * Ends `freeze()`: what was sent meanwhile arrives, in order.
   * @param direction by default both
   * @throws TypeError for another direction
   */
  thaw(direction?: Direction): void {
    for (const hold of this.#holds('thaw', direction)) hold.isFrozen = false
  }

  /**
   * Delays what is sent from now on. Fake timers apply to the delay.
   * @param ms time from one end to the other, in milliseconds; 0 for no delay
   * @param direction by default both
   * @throws TypeError for another direction, or an invalid time
   */
  delay(ms: number, direction?: Direction): void {
    if (typeof ms !== 'number' || !(ms >= 0 && ms <= longestDelayMs)) {
      const near = numberIn(ms)
      const hint = near === undefined ? '' : `; did you mean ${near}?`
      throw new TypeError(
        `delay: expected a number of milliseconds from 0 to ${longestDelayMs}; got ${showValue(ms)}${hint}`
      )
    }
    for (const hold of this.#holds('delay', direction)) hold.delayMs = ms
  }

  #holds(call: string, direction: Direction | undefined): Hold[] {
    if (direction === undefined) return directions.flatMap(this.#holdsOf)
    if (directions.includes(direction)) return this.#holdsOf(direction)
    const near = typeof direction === 'string' ? nearMiss(direction, directions) : undefined
    const hint = near === undefined ? '' : `; did you mean '${near}'?`
    throw new TypeError(`${call}: direction: expected 'toServer' or 'toClient'; got ${showValue(direction)}${hint}`)
  }
}
