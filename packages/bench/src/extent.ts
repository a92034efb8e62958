import type { Arguments } from './arguments.ts'
import { handshakes } from './suites/handshake.ts'

/** How much to measure. */
export interface Extent {
  /** By how much the number of operations is divided. */
  readonly divisor: number
  /** Rounds before the others that do not count. */
  readonly warmUps: number
  /** Number of connections, where many are held. */
  readonly connections: number
  readonly heartbeatMs: number
  /** The folder for the servers' CPU profiles; undefined for none. */
  readonly profiles: string | undefined
}

export function extentOf({ quick, connections, profiles }: Arguments): Extent {
  return { divisor: quick ? 12 : 1, warmUps: quick ? 1 : 4, connections, heartbeatMs: quick ? 1_000 : 4_000, profiles }
}

/** Files that a process has open besides its connections. */
const otherDescriptors = 200

/**
 * Checks that a process may have as many open connections as needed.
 * @throws Error that says what to do if it may not
 */
export function checkDescriptors({ divisor, connections }: Extent, limit: number): void {
  check(Math.max(connections, Math.ceil(handshakes / divisor)), limit, '--quick --connections 500')
}

/** The connections of the suite `endurance` if no number is given and the limit allows it. */
const mostToEndure = 19_000

/**
 * The number of connections of the suite `endurance`.
 * @throws Error that says what to do if a process may not have as many open connections as wanted
 */
export function connectionsToEndure(wanted: number | undefined, limit: number): number {
  if (wanted === undefined) return Math.max(1, Math.min(mostToEndure, limit - otherDescriptors))
  check(wanted, limit, '--suite endurance')
  return wanted
}

function check(connections: number, limit: number, less: string): void {
  const needed = connections + otherDescriptors
  if (limit >= needed) return
  throw new Error(
    `Each process needs ${needed} open files, but this shell allows only ${limit}. Raise the limit with ` +
      `'ulimit -n ${needed}', or measure less: npm run bench -- ${less}`
  )
}
