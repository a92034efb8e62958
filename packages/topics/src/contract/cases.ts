import { appending } from './appends.ts'
import { enduring } from './endures.ts'
import { type BackplaneStore, type Fixture, withStore } from './fixture.ts'
import { reading } from './reads.ts'

/** One test of the contract. */
export interface BackplaneCase {
  /** A sentence, unique among all cases. */
  readonly name: string
  /** Resolves if the backplane passes; rejects if it does not, mostly with an `AssertionError`. */
  run(): Promise<void>
}

/** A name, and what to run. */
export type Check = readonly [name: string, run: (fixture: Fixture) => Promise<void>]

/**
 * The contract for backplanes that keep messages: what `createTopics` relies on with its option `history`. Cases may
 * run in any order, one at a time, with any test runner.
 *
 * @param start starts a store that has no messages, for each case
 */
export function backplaneContract(start: () => BackplaneStore | Promise<BackplaneStore>): BackplaneCase[] {
  return [...appending, ...reading, ...enduring].map(([name, run]) => ({ name, run: () => withStore(start, run) }))
}
