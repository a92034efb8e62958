import { setTimeout as sleep } from 'node:timers/promises'

/** How often to look, in milliseconds. */
const lookMs = 20

/** Waits until something is so, or it takes too long. */
export async function until(isSo: () => boolean, ms: number, signal?: AbortSignal): Promise<void> {
  const end = performance.now() + ms
  while (!isSo() && performance.now() < end) await sleep(lookMs, undefined, { signal })
}
