import { summarize } from '../statistics.ts'
import type { Recording } from './recording.ts'
import { sliceMs } from './run.ts'

/** The largest share by which the memory may grow from the first window to the last. */
const mostGrowth = 0.05
export const mostDelayMs = 50
/** How many times the average of a slice may end in one slice of the drain. */
const mostUneven = 2

/** A line of the result. Some have a target. */
export interface Line {
  readonly what: string
  readonly found: string
  readonly target?: string
  readonly isMet?: boolean
}

const median = (values: readonly number[]): number => summarize(values).median
const count = (value: number): string => value.toLocaleString('en')
const percent = (share: number): string => `${(share * 100).toFixed(0)} %`

/** What a recording shows. */
export function judge(recording: Recording): Line[] {
  const { connections, seconds, spreadMs, open, worstDelayMs, broadcastMs, cpuMs, ends, terminated } = recording
  const worst = Math.max(...worstDelayMs, recording.drainDelayMs)
  const most = Math.max(...ends)
  const mostEnds = Math.ceil((mostUneven * connections * sliceMs) / spreadMs)
  return [
    growth('RSS, median', recording.rssBytes, median),
    // The least is what is left after a collection. The rest is garbage.
    growth('Heap, least', recording.heapBytes, (bytes) => Math.min(...bytes)),
    {
      what: 'Worst event-loop delay outside of the broadcasts',
      found: `${worst.toFixed(1)} ms`,
      target: `below ${mostDelayMs} ms`,
      isMet: worst < mostDelayMs
    },
    {
      what: `Connections that ended in ${sliceMs} ms of the drain`,
      found: `at most ${most}`,
      target: `at most ${mostEnds}, twice the average`,
      isMet: most <= mostEnds
    },
    {
      what: 'Connections that the drain had to terminate',
      found: `${terminated}`,
      target: '0',
      isMet: terminated === 0
    },
    { what: 'Open connections', found: `${count(Math.min(...open))} to ${count(Math.max(...open))}` },
    { what: 'A broadcast to all, median', found: `${median(broadcastMs).toFixed(0)} ms` },
    { what: 'CPU of the server, of one core', found: percent(sum(cpuMs) / seconds / 1_000) },
    { what: 'CPU of the generator, of another core', found: percent(recording.generatorLoad) }
  ]
}

/**
 * The warm-up, in seconds: three minutes, or a quarter of a short run. Until its first full collections, V8 lets a heap
 * grow.
 */
export const warmUpOf = (seconds: number): number => Math.max(1, Math.min(180, Math.floor(seconds / 4)))

/** Compares the last window with the first one after the warm-up. */
function growth(what: string, bytes: readonly number[], summarizeWindow: (bytes: readonly number[]) => number): Line {
  const window = windowOf(bytes.length)
  const warmUp = warmUpOf(bytes.length)
  const first = summarizeWindow(bytes.slice(warmUp, warmUp + window))
  const last = summarizeWindow(bytes.slice(-window))
  const show = (value: number): string => `${(value / 1_000_000).toFixed(0)} MB`
  return {
    what,
    found: `${show(first)}, then ${show(last)}`,
    target: `grows by at most ${percent(mostGrowth)}`,
    isMet: last <= first * (1 + mostGrowth)
  }
}

/** The windows whose memory is compared, in seconds: a minute, or a quarter of a short run. */
export const windowOf = (seconds: number): number => Math.max(1, Math.min(60, Math.floor(seconds / 4)))

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
