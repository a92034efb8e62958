import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Child } from '../child.ts'
import type { Job } from '../generator/job.ts'
import type { Effort } from '../generator-process.ts'
import type { Load, Recording } from './recording.ts'
import type { Beat, EnduranceAnswer, EnduranceQuestion } from './server-process.ts'

/** The share of the clients that leave each second. As many come. */
export const leaving = 0.01
/** The time over which the ends of connections are counted in the drain. */
export const sliceMs = 100

type Server = Child<EnduranceQuestion, EnduranceAnswer>

/** Runs a server with many clients that come and go, and drains it. */
export async function endure(load: Load, onBeat: (beat: Beat, second: number) => void): Promise<Recording> {
  const server: Server = new Child('The server', join(__dirname, 'server-process.js'), 0)
  const generator = new Child<Job, Effort>('The generator', join(__dirname, '../generator-process.js'), 1)
  try {
    const { port = 0 } = await server.ask({ ask: 'start' })
    const to = { port, dialect: 'websocket' } as const
    await generator.ask({ ...to, kind: 'open and stay', count: load.connections, atOnce: 64 })
    const [beats, { cpuMs, elapsedMs }] = await Promise.all([
      takeBeats(server, load.seconds, onBeat),
      generator.ask({ ...to, kind: 'churn', perSecond: load.connections * leaving, seconds: load.seconds })
    ])
    const [{ terminated = 0, worstDelayMs = 0 }, { ends = [] }] = await Promise.all([
      server.ask({ ask: 'drain', spreadMs: load.spreadMs }),
      generator.ask({ ...to, kind: 'be closed', sliceMs })
    ])
    return {
      ...load,
      ...columnsOf(beats),
      ends,
      terminated,
      drainDelayMs: worstDelayMs,
      generatorLoad: cpuMs / elapsedMs
    }
  } finally {
    await Promise.all([server.end(), generator.end()])
  }
}

async function takeBeats(
  server: Server,
  seconds: number,
  onBeat: (beat: Beat, second: number) => void
): Promise<Beat[]> {
  // What has happened before is not recorded.
  await server.ask({ ask: 'beat' })
  const beats: Beat[] = []
  const started = performance.now()
  for (let second = 1; second <= seconds; second++) {
    await sleep(Math.max(0, started + second * 1_000 - performance.now()))
    const beat: Beat = await server.ask({ ask: 'beat' })
    beats.push(beat)
    onBeat(beat, second)
  }
  return beats
}

const columnsOf = (beats: readonly Beat[]): Record<keyof Beat, number[]> => ({
  open: beats.map(({ open }) => open),
  rssBytes: beats.map(({ rssBytes }) => rssBytes),
  heapBytes: beats.map(({ heapBytes }) => heapBytes),
  cpuMs: beats.map(({ cpuMs }) => cpuMs),
  worstDelayMs: beats.map(({ worstDelayMs }) => worstDelayMs),
  broadcastMs: beats.map(({ broadcastMs }) => broadcastMs)
})
