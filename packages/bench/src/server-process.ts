import type { AddressInfo, Server } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { answerParent } from './answers.ts'
import { hasBufferUtil, hideBufferUtil } from './buffer-util.ts'
import type { Endpoint, Settings } from './contenders/endpoint.ts'
import { collectGarbage, fullPauses, Garbage } from './garbage.ts'
import { Intake } from './intake.ts'
import { summarize } from './statistics.ts'

/** Questions to the server process of a contender. */
export type ServerQuestion =
  | { readonly ask: 'start'; readonly contender: string; readonly settings: Settings; readonly bufferUtil: boolean }
  /**
   * Waits until no client is connected. When to collect garbage is left to V8: a forced collection without open
   * connections would discard the shapes of sockets and all code compiled for them, and the round would include
   * compiling it again.
   */
  | { readonly ask: 'settle' }
  /** `watch` is what to measure besides CPU time; each of these costs some itself. */
  | { readonly ask: 'begin'; readonly watch?: 'delay' | 'garbage' | 'intake' }
  /** Waits until no client has sent anything for a while. */
  | { readonly ask: 'quiet' }
  | { readonly ask: 'end' }
  | { readonly ask: 'stop' }
  | { readonly ask: 'memory' }
  /** Forces full collections of garbage. */
  | { readonly ask: 'collect'; readonly times: number }

export interface ServerAnswer {
  readonly port?: number
  readonly cpuMs?: number
  readonly worstDelayMs?: number
  /** What was allocated on the heap. */
  readonly allocatedBytes?: number
  /** How long V8 has stopped the program to collect garbage: in total, and at most. */
  readonly pausedMs?: number
  readonly worstPauseMs?: number
  /** By how much the resident memory had grown when it was largest. */
  readonly rssGrownBytes?: number
  /** The median of how long a full collection has stopped the program. */
  readonly fullPauseMs?: number
  readonly heapBytes?: number
  readonly rssBytes?: number
  /** The largest resident memory since the process started. */
  readonly mostRssBytes?: number
}

/** The interval of the monitor's timer, which is part of each delay it measures. */
const resolution = 1
const delay = monitorEventLoopDelay({ resolution })
/** Twice, because the second collection frees what the first one has finalized. */
const thorough = 2
let endpoint: Endpoint
let server: Server
let cpu = process.cpuUsage()
let watched: Garbage | Intake | undefined

async function start(contender: string, settings: Settings, bufferUtil: boolean): Promise<ServerAnswer> {
  if (!bufferUtil) hideBufferUtil()
  endpoint = (await import(`./contenders/${contender}.js`)) as Endpoint
  server = await endpoint.start(settings)
  if (hasBufferUtil() !== bufferUtil) throw new Error(`bufferutil is ${bufferUtil ? 'not ' : ''}loaded`)
  return { port: (server.address() as AddressInfo).port }
}

const connectionCount = (): Promise<number> =>
  new Promise((resolve, reject) => server.getConnections((error, count) => (error ? reject(error) : resolve(count))))

async function settle(): Promise<ServerAnswer> {
  while ((await connectionCount()) > 0) await sleep(5)
  return {}
}

function begin(watch: 'delay' | 'garbage' | 'intake' | undefined): ServerAnswer {
  delay.reset()
  if (watch === 'delay' || watch === 'intake') delay.enable()
  if (watch === 'garbage') watched = new Garbage()
  if (watch === 'intake') watched = new Intake(server)
  cpu = process.cpuUsage()
  return {}
}

function end(): ServerAnswer {
  const { user, system } = process.cpuUsage(cpu)
  delay.disable()
  const found = watched?.end()
  watched = undefined
  return {
    cpuMs: (user + system) / 1_000,
    worstDelayMs: Math.max(0, delay.max / 1e6 - resolution),
    mostRssBytes: process.resourceUsage().maxRSS * 1_024,
    ...found
  }
}

async function memory(): Promise<ServerAnswer> {
  await collectGarbage(thorough)
  const { heapUsed, rss } = process.memoryUsage()
  return { heapBytes: heapUsed, rssBytes: rss }
}

async function collect(times: number): Promise<ServerAnswer> {
  await collectGarbage(thorough)
  return { fullPauseMs: summarize(await fullPauses(times)).median }
}

answerParent(async (question: ServerQuestion): Promise<ServerAnswer> => {
  switch (question.ask) {
    case 'start':
      return start(question.contender, question.settings, question.bufferUtil)
    case 'settle':
      return settle()
    case 'begin':
      return begin(question.watch)
    case 'quiet':
      if (watched instanceof Intake) await watched.quiet()
      return {}
    case 'end':
      return end()
    case 'stop':
      await endpoint.stop?.()
      return {}
    case 'memory':
      return memory()
    case 'collect':
      return collect(question.times)
  }
})
