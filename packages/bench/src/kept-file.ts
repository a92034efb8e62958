import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Conditions } from './conditions.ts'

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

/** A file of results. Each of them has a line of its own. */
export interface KeptFile<Results> extends Origin {
  readonly results: Results
}

const pathOf = (folder: string, name: string): string => join(folder, `${name}.json`)

/** Writes results in place of earlier ones. */
export function writeKept(folder: string, name: string, origin: Origin, results: object): void {
  const lines = Object.entries(results).map(([key, value]) => `    "${key}": ${JSON.stringify(value, sixDigits)}`)
  const text = `${JSON.stringify(origin, null, 2).slice(0, -2)},\n  "results": {\n${lines.join(',\n')}\n  }\n}\n`
  mkdirSync(folder, { recursive: true })
  writeFileSync(pathOf(folder, name), text)
}

const sixDigits = (_key: string, value: unknown): unknown =>
  typeof value === 'number' ? Number(value.toPrecision(6)) : value

/** Reads results; undefined if none were kept. */
export function readKept<Results>(folder: string, name: string): KeptFile<Results> | undefined {
  try {
    return JSON.parse(readFileSync(pathOf(folder, name), 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
