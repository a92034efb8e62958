import { type Origin, readKept, resultsFolder, writeKept } from '../kept-file.ts'
import type { Beat } from './server-process.ts'

export interface Load {
  readonly connections: number
  readonly seconds: number
  /** The time over which the drain at the end spreads the closes. */
  readonly spreadMs: number
}

/** What a run has recorded: a value of each kind for each second, and the drain at the end. */
export interface Recording extends Load, Readonly<Record<keyof Beat, readonly number[]>> {
  /** Number of connections that ended in each slice of `sliceMs` of the drain. */
  readonly ends: readonly number[]
  /** Number of connections that were terminated at the end of the drain. */
  readonly terminated: number
  readonly drainDelayMs: number
  /** The share of its core that the generator has used. */
  readonly generatorLoad: number
}

const name = 'endurance'

/** A recording, made now or earlier. */
export interface KeptRecording extends Origin {
  readonly recording: Recording
}

/** Keeps a recording in place of an earlier one. */
export function keepRecording({ recording, ...origin }: KeptRecording, folder: string = resultsFolder): void {
  writeKept(folder, name, origin, recording)
}

export function readRecording(folder: string = resultsFolder): KeptRecording | undefined {
  const file = readKept<Recording>(folder, name)
  if (file === undefined) return undefined
  const { results, ...origin } = file
  return { recording: results, ...origin }
}
