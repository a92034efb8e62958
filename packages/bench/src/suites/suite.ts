import type { Contender } from '../contenders/index.ts'
import type { Job } from '../generator/job.ts'
import type { Effort } from '../generator-process.ts'
import type { ServerAnswer, ServerQuestion } from '../server-process.ts'

/** One row of a suite: a contender with its settings. */
export interface Entry {
  readonly name: string
  readonly title: string
  readonly contender: Contender
  /** If left out, the contender uses its own default. */
  readonly heartbeat?: 'on' | 'off'
  readonly deflate?: boolean
  /** Characters of a broadcast message. */
  readonly size?: number
  readonly bufferUtil: boolean
  /** The name of the entry by which the figures are divided. */
  readonly base: string
}

/** A figure that a suite measures. */
export interface Figure {
  readonly key: string
  /** The heading of its column. */
  readonly title: string
  readonly unit: '' | 'µs' | 'ms' | 'kB' | 'MB'
  readonly digits: number
  /** Whether the ratio to the base makes sense. */
  readonly compared: boolean
}

export type Sample = Readonly<Record<string, number>>

/** What a measurement works with: a running server, and the generator. */
export interface Stage {
  readonly entry: Entry
  /** Scales a number of operations down for a quick run. */
  scaled(times: number): number
  /** Number of connections, where many are held. */
  readonly connections: number
  /** Milliseconds between pings, where they are measured. */
  readonly heartbeatMs: number
  server(question: Exclude<ServerQuestion, { ask: 'start' }>): Promise<ServerAnswer>
  /** Ends the server, and starts another on the same port after some time. */
  restart(how: 'shut down' | 'kill', awayMs: number): Promise<void>
  /** Starts another server of the same entry, which ends with the first. */
  startOther(): Promise<number>
  generate(job: DistributiveOmit<Job, 'port' | 'dialect'>): Promise<Effort>
}

type DistributiveOmit<Type, Keys extends PropertyKey> = Type extends unknown ? Omit<Type, Keys> : never

export interface Suite {
  readonly name: string
  readonly title: string
  /** The description on the page. */
  readonly text: string
  readonly entries: readonly Entry[]
  /** The first one is the main figure, which has a spread and a chart. */
  readonly figures: readonly [Figure, ...Figure[]]
  /** What a bar of the chart shows. */
  readonly chart: string
  /** Whether each measurement starts a new server. Otherwise servers are kept, and the first round warms them up. */
  readonly fresh: boolean
  /** Whether the suite keeps servers of its own, which have done nothing else before. */
  readonly apart?: boolean
  /** Whether the servers share a Redis server, which starts with the first and ends with the last. Only if `fresh`. */
  readonly redis?: boolean
  measure(stage: Stage): Promise<Sample>
}

/** The entries of contenders with their defaults, compared with one of them. */
export const plainEntries = (contenders: readonly Contender[], base = 'ws'): Entry[] =>
  contenders.map((contender) => ({
    name: contender.name,
    title: contender.title,
    contender,
    bufferUtil: false,
    base
  }))
