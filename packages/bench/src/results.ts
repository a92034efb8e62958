import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Conditions } from './conditions.ts'
import type { Measured, SuiteResult } from './lab.ts'
import { suites } from './suites/index.ts'
import type { Sample, Suite } from './suites/suite.ts'

/** The folder of the results, one file for each suite. A suite keeps its results until it is measured again. */
export const resultsFolder: string = join(__dirname, '../results')

/** Where results come from. */
export interface Origin {
  /** As an ISO 8601 date and time. */
  readonly measuredAt: string
  /** The command line, as typed. */
  readonly command: string
  readonly conditions: Conditions
}

/** The results of a suite, now or earlier. */
export interface Kept extends SuiteResult, Origin {}

interface ResultFile extends Origin {
  /** By the names of the entries. */
  readonly samples: Readonly<Record<string, readonly Sample[]>>
}

const fileOf = (folder: string, { name }: Suite): string => join(folder, `${name}.json`)

/** Writes the results of a suite in place of earlier ones. */
export function keepResult({ suite, measured }: SuiteResult, origin: Origin, folder: string = resultsFolder): void {
  const lines = measured.map(({ entry, samples }) => `    "${entry.name}": ${JSON.stringify(samples, sixDigits)}`)
  const text = `${JSON.stringify(origin, null, 2).slice(0, -2)},\n  "samples": {\n${lines.join(',\n')}\n  }\n}\n`
  mkdirSync(folder, { recursive: true })
  writeFileSync(fileOf(folder, suite), text)
}

const sixDigits = (_key: string, value: unknown): unknown =>
  typeof value === 'number' ? Number(value.toPrecision(6)) : value

/** The results of all suites that have been measured, in the order of the page. */
export function readResults(folder: string = resultsFolder): Kept[] {
  return suites.flatMap((suite) => {
    const file = readFile(fileOf(folder, suite))
    if (file === undefined) return []
    const { samples, ...origin } = file
    const measured = suite.entries.flatMap((entry): Measured[] => {
      const own = samples[entry.name]
      return own?.every((sample) => isOf(suite, sample)) ? [{ entry, samples: own }] : []
    })
    return measured.length === 0 ? [] : [{ suite, measured, ...origin }]
  })
}

function readFile(path: string): ResultFile | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Whether a sample has all figures that the suite has today. */
const isOf = ({ figures }: Suite, sample: Sample): boolean => figures.every(({ key }) => key in sample)
