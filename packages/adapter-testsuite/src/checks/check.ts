import type { Fixture, Needs } from '../fixture.ts'

/** A case that is not bound to an adapter yet. */
export type Check = readonly [name: string, run: (fixture: Fixture) => Promise<void>, needs?: Needs]

/** Prefixes the names of checks. */
export const prefixed = (word: string, checks: readonly Check[]): Check[] =>
  checks.map(([name, ...rest]) => [`${word} ${name}`, ...rest])

/** Makes one check per row of a table. */
export const each = <Row extends readonly unknown[]>(rows: readonly Row[], make: (...row: Row) => Check): Check[] =>
  rows.map((row) => make(...row))
