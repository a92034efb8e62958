/**
 * The time before the next attempt, in milliseconds: a random part of a time that doubles with each failure, up to a
 * ceiling. Without the random part, all clients of a server that went down would return at the same moments.
 *
 * @param failures attempts that have failed in a row, from 1
 */
export const backoff = (failures: number, minDelayMs: number, maxDelayMs: number): number =>
  Math.random() * Math.min(maxDelayMs, minDelayMs * 2 ** (failures - 1))
