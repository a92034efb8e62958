import { setTimeout as sleep } from 'node:timers/promises'
import { GCProfiler, getHeapStatistics } from 'node:v8'

/** What V8 allocates and collects from here on. https://nodejs.org/api/v8.html#class-v8gcprofiler */
export class Garbage {
  readonly #profiler = new GCProfiler()
  readonly #usedBefore = getHeapStatistics().used_heap_size

  constructor() {
    this.#profiler.start()
  }

  /** Call it once. */
  end(): { allocatedBytes: number; pausedMs: number; worstPauseMs: number } {
    const collections = this.#profiler.stop()?.statistics ?? []
    let allocatedBytes = 0
    let used = this.#usedBefore
    let pausedMs = 0
    let worstPauseMs = 0
    for (const { cost, beforeGC, afterGC } of collections) {
      allocatedBytes += beforeGC.heapStatistics.usedHeapSize - used
      used = afterGC.heapStatistics.usedHeapSize
      pausedMs += cost / 1_000
      worstPauseMs = Math.max(worstPauseMs, cost / 1_000)
    }
    allocatedBytes += getHeapStatistics().used_heap_size - used
    return { allocatedBytes, pausedMs, worstPauseMs }
  }
}

/** Forces full collections. Takes node --expose-gc. */
export async function collectGarbage(times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    await sleep(5)
    globalThis.gc?.()
  }
}

/** The pauses of forced full collections, in milliseconds. */
export async function fullPauses(times: number): Promise<number[]> {
  const profiler = new GCProfiler()
  profiler.start()
  await collectGarbage(times)
  const collections = profiler.stop()?.statistics ?? []
  return collections.filter(({ gcType }) => gcType === 'MarkSweepCompact').map(({ cost }) => cost / 1_000)
}
