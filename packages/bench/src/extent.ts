import type { Arguments } from './arguments.ts'
import { handshakes } from './suites/handshake.ts'

/** How much is measured. */
export interface Extent {
  /** Divides how often things are done. */
  readonly divisor: number
  /** Rounds that do not count, before the others. */
  readonly warmUps: number
  /** That are held, where many are. */
  readonly connections: number
  readonly heartbeatMs: number
  /** Where the servers leave their CPU profiles; undefined for nowhere. */
  readonly profiles: string | undefined
}

export function extentOf({ quick, connections, profiles }: Arguments): Extent {
  return { divisor: quick ? 12 : 1, warmUps: quick ? 1 : 4, connections, heartbeatMs: quick ? 1_000 : 4_000, profiles }
}

/** Files that a process has open beside its connections. */
const otherDescriptors = 200

/**
 * Whether each process may have as many connections open as will be held.
 * @throws Error that says what to do where it may not
 */
export function checkDescriptors({ divisor, connections }: Extent, limit: number): void {
  const needed = Math.max(connections, Math.ceil(handshakes / divisor)) + otherDescriptors
  if (limit >= needed) return
  throw new Error(
    `${needed} files have to be open in each process, and this shell allows ${limit}. Raise it with ` +
      "'ulimit -n 12000', or measure less: npm run bench -- --quick --connections 500"
  )
}
