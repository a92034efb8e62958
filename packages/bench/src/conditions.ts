import type { Arguments } from './arguments.ts'
import type { SuiteResult } from './lab.ts'
import { describeMachine, describePackage } from './machine.ts'

/** What a suite was measured with, in words. The keys are kinds of conditions, and names of packages. */
export type Conditions = Readonly<Record<string, string>>

/** The conditions under which a suite has just been measured. */
export const conditionsOf = ({ measured }: SuiteResult, { rounds, connections, quick }: Arguments): Conditions => ({
  rounds: rounds === 1 ? '1 round' : `${rounds} rounds`,
  connections: `${connections.toLocaleString('en')} connections where many are held`,
  extent: quick ? 'few operations (`--quick`)' : 'all operations',
  ...conditionsFor(measured.flatMap(({ entry }) => entry.contender.libraries))
})

/** The machine, and the versions of packages. */
export const conditionsFor = (libraries: readonly string[]): Conditions => ({
  ...describeMachine(),
  ...Object.fromEntries(libraries.map((library) => [library, describePackage(library)]))
})

/** The most frequent value of each condition; of several, the first one. */
export function usualOf(all: readonly Conditions[]): Conditions {
  const keys = new Set(all.flatMap((conditions) => Object.keys(conditions)))
  return Object.fromEntries([...keys].map((key) => [key, mostFrequent(all.flatMap((own) => own[key] ?? []))]))
}

/** The paragraph of a section about conditions that are different from the usual ones, if there are any. */
export function unusualNote(conditions: Conditions, usual: Conditions): string[] {
  const special = Object.entries(conditions).flatMap(([key, value]) => (value === usual[key] ? [] : [value]))
  return special.length === 0 ? [] : [`Unlike most of this page, this was measured with: ${special.join('; ')}.`]
}

function mostFrequent(values: readonly string[]): string {
  const count = (value: string): number => values.filter((other) => other === value).length
  return values.reduce((best, value) => (count(value) > count(best) ? value : best))
}
