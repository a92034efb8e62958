import { setTimeout as sleep } from 'node:timers/promises'

const tickMs = 5

/**
 * Calls a function at an even rate for some time. Makes up for calls that a late timer has missed.
 * @param phase from 0 to 1, so that processes with the same rate do not act at the same time
 */
export async function pace(perSecond: number, durationMs: number, phase: number, act: () => void): Promise<void> {
  const started = performance.now()
  let done = 0
  for (;;) {
    const elapsed = performance.now() - started
    const due = Math.floor((Math.min(elapsed, durationMs) / 1_000) * perSecond + phase)
    for (; done < due; done++) act()
    if (elapsed >= durationMs) return
    await sleep(tickMs)
  }
}
