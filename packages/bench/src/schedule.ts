/**
 * The order of the measurements: every round has each of them once, and every second round goes backwards (A B C,
 * C B A), so that a machine which gets slower or faster meanwhile does not favour one.
 */
export function schedule<Entry>(entries: readonly Entry[], rounds: number): Entry[][] {
  return Array.from({ length: rounds }, (_, round) => (round % 2 === 0 ? [...entries] : [...entries].reverse()))
}
