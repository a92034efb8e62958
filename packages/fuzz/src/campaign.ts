import { exchange, type Outcome } from './exchange.ts'
import type { Visit } from './visit.ts'

/** Visits with consecutive numbers, many at a time. */
export interface Campaign {
  readonly port: number
  readonly first: number
  readonly count: number
  readonly parallel: number
  visit(index: number): Visit
  /** Called after each visit; no new one begins once it has returned true. */
  onOutcome(index: number, visit: Visit, outcome: Outcome): boolean
}

/**
 * Makes all visits.
 * @returns the number behind that of the last one
 */
export async function run({ port, first, count, parallel, visit, onOutcome }: Campaign): Promise<number> {
  let next = first
  let isStopped = false
  const work = async (): Promise<void> => {
    while (next < first + count && !isStopped) {
      const index = next++
      const made = visit(index)
      const outcome = await exchange(port, made, addressOf(index))
      if (onOutcome(index, made, outcome)) isStopped = true
    }
  }
  await Promise.all(Array.from({ length: parallel }, work))
  return next
}

/**
 * Where a client comes from. A port stays taken for a minute after its connection, and one address has 28 000 of them.
 * Linux takes all of 127.0.0.0/8 for the machine's own; elsewhere it is left to the system.
 */
const addressOf = (index: number): string | undefined =>
  process.platform === 'linux' ? `127.0.0.${1 + (index % 200)}` : undefined
