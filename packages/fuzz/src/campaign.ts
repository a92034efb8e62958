import { exchange, type Outcome } from './exchange.ts'
import type { Visit } from './visit.ts'

/** Visits with consecutive numbers, many at a time. */
export interface Campaign {
  readonly port: number
  readonly first: number
  readonly count: number
  readonly parallel: number
  visit(index: number): Visit
  /** Called after each visit. Once it returns true, no new visit starts. */
  onOutcome(index: number, visit: Visit, outcome: Outcome): boolean
}

/**
 * Makes all visits.
 * @returns the number after that of the last visit
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
 * The client's address. A port stays in use for a minute after its connection, and one address has only 28 000 ports.
 * Linux treats all of 127.0.0.0/8 as local; on other systems, the default is used.
 */
const addressOf = (index: number): string | undefined =>
  process.platform === 'linux' ? `127.0.0.${1 + (index % 200)}` : undefined
