import type { Arguments } from './arguments.ts'
import type { SuiteResult } from './lab.ts'
import { describeMachine, describePackage } from './machine.ts'

/** What a suite was measured with, in words. The keys are kinds of conditions, and names of packages. */
export type Conditions = Readonly<Record<string, string>>

/** The conditions under which a suite has just been measured. */
export function conditionsOf({ measured }: SuiteResult, { rounds, connections, quick }: Arguments): Conditions {
  const libraries = new Set(measured.flatMap(({ entry }) => entry.contender.libraries))
  return {
    rounds: rounds === 1 ? '1 round' : `${rounds} rounds`,
    connections: `${connections.toLocaleString('en')} connections where many are held`,
    extent: quick ? 'few operations (`--quick`)' : 'all operations',
    ...describeMachine(),
    ...Object.fromEntries([...libraries].map((library) => [library, describePackage(library)]))
  }
}

/** The most frequent value of each condition; of several, the first one. */
export function usualOf(all: readonly Conditions[]): Conditions {
  const keys = new Set(all.flatMap((conditions) => Object.keys(conditions)))
  return Object.fromEntries([...keys].map((key) => [key, mostFrequent(all.flatMap((own) => own[key] ?? []))]))
}

/** The conditions that are different from the usual ones. */
export const unusual = (conditions: Conditions, usual: Conditions): string[] =>
  Object.entries(conditions).flatMap(([key, value]) => (value === usual[key] ? [] : [value]))

function mostFrequent(values: readonly string[]): string {
  const count = (value: string): number => values.filter((other) => other === value).length
  return values.reduce((best, value) => (count(value) > count(best) ? value : best))
}
