import { type Behaviours, behavioursOf, everything } from './behaviours.ts'
import type { Program } from './program.ts'

/** A framework with a program on the pages that shows what `behaviours.ts` lists. */
export interface Framework {
  readonly name: string
  /** What the program shows. The tests compare it with what it does. */
  readonly behaviours: Behaviours
  /** Other versions with which the program runs, as names under which packages are installed for the tests. */
  readonly versions?: readonly Readonly<Record<string, string>>[]
}

/** The frameworks without an adapter of their own, by the names of their programs. */
export const frameworks: Readonly<Record<string, Framework>> = {
  polka: { name: 'Polka', behaviours: everything, versions: [{ polka: 'polka-1' }] },
  tinyhttp: { name: 'tinyhttp', behaviours: everything }
}

type Start = (env?: NodeJS.ProcessEnv, packages?: Readonly<Record<string, string>>) => Promise<Program>

/** Checks each program with every version. */
export const frameworkExamples = Object.fromEntries(
  Object.entries(frameworks).map(([name, { behaviours, versions = [] }]) => [
    name,
    async (program: Program, another: Start) => {
      expect(await behavioursOf(program)).toEqual(behaviours)
      for (const version of versions) expect(await behavioursOf(await another({}, version))).toEqual(behaviours)
    }
  ])
)
