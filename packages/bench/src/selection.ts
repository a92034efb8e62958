import type { Entry, Suite } from './suites/suite.ts'

/** The entries of the selected contenders, and those they are compared with. */
export function selectEntries({ entries }: Suite, contenders: ReadonlySet<string> | undefined): readonly Entry[] {
  if (contenders === undefined) return entries
  const chosen = entries.filter(({ contender }) => contenders.has(contender.name))
  const bases = new Set(chosen.map(({ base }) => base))
  return entries.filter((entry) => chosen.includes(entry) || bases.has(entry.name))
}
