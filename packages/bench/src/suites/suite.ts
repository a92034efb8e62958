import type { Contender } from '../contenders/index.ts'
import type { Job } from '../generator/job.ts'
import type { Effort } from '../generator-process.ts'
import type { ServerAnswer, ServerQuestion } from '../server-process.ts'

/** One line of a suite: a contender, and how it is set. */
export interface Entry {
  readonly name: string
  readonly title: string
  readonly contender: Contender
  /** Left out, it does what it does by itself. */
  readonly heartbeat?: 'on' | 'off'
  readonly deflate?: boolean
  readonly bufferUtil: boolean
  /** The name of the entry that its figures are divided by. */
  readonly base: string
}

/** One number that a suite measures. */
export interface Figure {
  readonly key: string
  /** Above its column. */
  readonly title: string
  readonly unit: '' | 'µs' | 'ms' | 'kB'
  readonly digits: number
  /** Whether dividing it by the base's tells something. */
  readonly compared: boolean
}

export type Sample = Readonly<Record<string, number>>

/** What a measurement works with: one server that runs, and the generator. */
export interface Stage {
  readonly entry: Entry
  /** Times that something is done: less in a quick run. */
  scaled(times: number): number
  /** How many connections are held, where many are. */
  readonly connections: number
  /** Milliseconds between pings, where they are measured. */
  readonly heartbeatMs: number
  server(question: Exclude<ServerQuestion, { ask: 'start' }>): Promise<ServerAnswer>
  generate(job: DistributiveOmit<Job, 'port' | 'dialect'>): Promise<Effort>
}

type DistributiveOmit<Type, Keys extends PropertyKey> = Type extends unknown ? Omit<Type, Keys> : never

export interface Suite {
  readonly name: string
  readonly title: string
  /** What is done, for the page. */
  readonly text: string
  readonly entries: readonly Entry[]
  /** The first one is the main one: it has a spread and a chart. */
  readonly figures: readonly [Figure, ...Figure[]]
  /** What one bar of the chart is. */
  readonly chart: string
  /** Whether each measurement has a server process of its own; else servers are kept, and the first round warms them up. */
  readonly fresh: boolean
  /** Whether its kept servers are its own, and have done nothing else before. */
  readonly apart?: boolean
  measure(stage: Stage): Promise<Sample>
}

/** The entries of contenders as they are, compared with one of them. */
export const plainEntries = (contenders: readonly Contender[], base = 'ws'): Entry[] =>
  contenders.map((contender) => ({
    name: contender.name,
    title: contender.title,
    contender,
    bufferUtil: false,
    base
  }))
