import { type Origin, readKept, resultsFolder, writeKept } from './kept-file.ts'
import type { Measured, SuiteResult } from './lab.ts'
import { suites } from './suites/index.ts'
import type { Sample, Suite } from './suites/suite.ts'

/** The results of a suite, now or earlier. */
export interface Kept extends SuiteResult, Origin {}

/** By the names of the entries. */
type Samples = Readonly<Record<string, readonly Sample[]>>

/** Keeps the results of a suite in place of earlier ones. */
export function keepResult({ suite, measured }: SuiteResult, origin: Origin, folder: string = resultsFolder): void {
  const samples: Samples = Object.fromEntries(measured.map(({ entry, samples }) => [entry.name, samples]))
  writeKept(folder, suite.name, origin, samples)
}

/** The results of all suites that have been measured, in the order of the page. */
export function readResults(folder: string = resultsFolder): Kept[] {
  return suites.flatMap((suite) => {
    const file = readKept<Samples>(folder, suite.name)
    if (file === undefined) return []
    const { results, ...origin } = file
    const measured = suite.entries.flatMap((entry): Measured[] => {
      const samples = results[entry.name]
      return samples?.every((sample) => isOf(suite, sample)) ? [{ entry, samples }] : []
    })
    return measured.length === 0 ? [] : [{ suite, measured, ...origin }]
  })
}

/** Whether a sample has all figures that the suite has today. */
const isOf = ({ figures }: Suite, sample: Sample): boolean => figures.every(({ key }) => key in sample)
