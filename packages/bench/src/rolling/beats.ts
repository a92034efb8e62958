import { monitorEventLoopDelay } from 'node:perf_hooks'

/** What a process measures each second. */
export interface Beat {
  /** The end of the second, in milliseconds since 1970. */
  readonly at: number
  /** The share of a core that it has used. */
  readonly cpu: number
  readonly worstDelayMs: number
  /** What is counted, see `keepBeats`. */
  readonly count: number
}

const everyMs = 1_000
/** The interval of the monitor's timer, which is part of each delay it measures. */
const resolution = 1

/**
 * Measures this process each second.
 * @param count called each second for something else to record
 * @returns what has been measured so far
 */
export function keepBeats(count: () => number): readonly Beat[] {
  const beats: Beat[] = []
  const delay = monitorEventLoopDelay({ resolution })
  delay.enable()
  let cpu = process.cpuUsage()
  let last = performance.now()
  setInterval(() => {
    const { user, system } = process.cpuUsage(cpu)
    const now = performance.now()
    beats.push({
      at: Date.now(),
      cpu: (user + system) / 1_000 / (now - last),
      worstDelayMs: Math.max(0, delay.max / 1e6 - resolution),
      count: count()
    })
    cpu = process.cpuUsage()
    last = now
    delay.reset()
  }, everyMs)
  return beats
}
