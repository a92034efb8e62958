import { setTimeout as sleep } from 'node:timers/promises'

/** Delay between two attempts, in milliseconds. */
const retryMs = 1_000

/** Retries `work` until it succeeds or is no longer wanted. Never rejects. */
export async function insist(
  work: () => Promise<unknown>,
  isWanted: () => boolean,
  onError: (error: unknown) => void
): Promise<void> {
  while (isWanted()) {
    try {
      await work()
      return
    } catch (error) {
      if (!isWanted()) return
      onError(error)
      await sleep(retryMs, undefined, { ref: false })
    }
  }
}
