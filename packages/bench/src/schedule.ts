/**
 * The order of the measurements. Every round has each of them once, and every second round runs backwards (A B C, C B
 * A), so that a machine that gets slower or faster favours none of them.
 */
export function schedule<Entry>(entries: readonly Entry[], rounds: number): Entry[][] {
  return Array.from({ length: rounds }, (_, round) => (round % 2 === 0 ? [...entries] : [...entries].reverse()))
}
