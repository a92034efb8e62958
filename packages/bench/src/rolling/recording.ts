import { type Origin, readKept, resultsFolder, writeKept } from '../kept-file.ts'

/** Over what time connections are closed, and clients come back, both in milliseconds. */
export interface Way {
  /** `spreadMs` of `drain()`. */
  readonly closeMs: number
  /** `spreadMs` of the clients. */
  readonly returnMs: number
}

/** The size of a deploy. */
export interface Fleet {
  readonly nodes: number
  readonly clients: number
  /** Messages that are published each second. */
  readonly perSecond: number
  /** The time before the first node is restarted, and after each one, in milliseconds. */
  readonly restMs: number
}

/** What a deploy has shown. */
export interface Deploy extends Way {
  readonly seconds: number
  /** How often a client has lost its connection. */
  readonly losses: number
  /** How long a client was without a connection each time, in milliseconds. */
  readonly awayMs: { readonly median: number; readonly worst: number }
  /** The most handshakes that a node has answered in a second. */
  readonly handshakes: number
  /** The largest share of a core that a node has used in a second, and the median before the deploy. */
  readonly cpu: { readonly most: number; readonly before: number }
  /** The longest delay of the event loop of a node, in milliseconds, and the longest before the deploy. */
  readonly delayMs: { readonly worst: number; readonly before: number }
  /** The share of a core that the process of the clients has used, and the longest delay of its event loop. */
  readonly crowd: { readonly cpu: number; readonly delayMs: number }
  readonly messages: Messages
  /** In each second: how many clients had no connection, and how many handshakes all nodes have answered. */
  readonly timeline: { readonly away: readonly number[]; readonly handshakes: readonly number[] }
}

/** Messages, over all clients. */
export interface Messages {
  readonly delivered: number
  readonly missing: number
  /** Those that have arrived again. */
  readonly doubled: number
  /** How often a client was told that something is missing. */
  readonly gaps: number
  /** Those whose publisher was not told that they were published. */
  readonly unpublished: number
}

export interface Recording extends Fleet {
  readonly deploys: readonly Deploy[]
}

const name = 'rolling'

/** A recording, made now or earlier. */
export interface KeptRolling extends Origin {
  readonly recording: Recording
}

/** Keeps a recording in place of an earlier one. */
export function keepRolling({ recording, ...origin }: KeptRolling, folder: string = resultsFolder): void {
  writeKept(folder, name, origin, recording)
}

export function readRolling(folder: string = resultsFolder): KeptRolling | undefined {
  const file = readKept<Recording>(folder, name)
  if (file === undefined) return undefined
  const { results, ...origin } = file
  return { recording: results, ...origin }
}
