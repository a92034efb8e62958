import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds between two attempts. */
const retryMs = 1_000

/** Tries until it succeeds or nobody wants it any more. Never rejects. */
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
