import type { Fixture, Needs } from '../fixture.ts'

/** A case that is not yet tied to an adapter. */
export type Check = readonly [name: string, run: (fixture: Fixture) => Promise<void>, needs?: Needs]

/** Puts a word in front of the names of checks. */
export const prefixed = (word: string, checks: readonly Check[]): Check[] =>
  checks.map(([name, ...rest]) => [`${word} ${name}`, ...rest])

/** One check for each row of a table. */
export const each = <Row extends readonly unknown[]>(rows: readonly Row[], make: (...row: Row) => Check): Check[] =>
  rows.map((row) => make(...row))
