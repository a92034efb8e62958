import { run } from './campaign.ts'
import type { Outcome } from './exchange.ts'
import type { Measurement } from './measurement.ts'
import { count } from './progress.ts'
import type { Adapter } from './server.ts'
import { ServerProcess } from './server-process.ts'
import { kindOf } from './soak-visits.ts'
import { flood } from './unread.ts'

/** Connections before the first measurement, so that code is compiled and caches are filled. */
export const warmUp = 5_000

/** Gives up on an adapter after this many faults. */
const mostFaults = 10

/**
 * How much the heap may grow, in bytes. It varies by a few hundred kilobytes with what the optimizing compiler keeps;
 * one object of 64 bytes for each of 60 000 connections would be 4 MB.
 */
const heapTolerance = 1_048_576

/** Values that have to return to where they were. */
export const returning = [
  'open',
  'pending',
  'connections',
  'resources',
  'descriptors',
  'timers',
  'listeners',
  'unfinished',
  'sockets'
] as const

/** A measurement, with the share of connections made before it. */
export interface Sample extends Measurement {
  readonly when: string
}

/** Opens connections of every kind to one server. */
export class Soaking {
  readonly samples: Sample[] = []
  readonly faults: string[] = []
  readonly #server: ServerProcess
  readonly #parallel: number
  readonly #onVisit: () => void

  static async run(adapter: Adapter, total: number, parallel: number, onVisit: () => void): Promise<Soaking> {
    const server = await ServerProcess.start(adapter)
    const soaking = new Soaking(server, parallel, onVisit)
    try {
      await soaking.#run(total)
    } finally {
      await server.stop()
    }
    return soaking
  }

  private constructor(server: ServerProcess, parallel: number, onVisit: () => void) {
    this.#server = server
    this.#parallel = parallel
    this.#onVisit = onVisit
  }

  async #run(total: number): Promise<void> {
    await this.#visit(0, warmUp, () => {})
    if (!this.#hasFailed) this.faults.push(...(await flood(this.#server)))
    await this.#sample('start', this.#server.settle())
    const quarter = Math.ceil(total / 4)
    for (let part = 0; part < 4; part++) {
      let measured: Promise<void> | undefined
      await this.#visit(warmUp + part * quarter, quarter, (done) => {
        if (done > quarter / 2) measured ??= this.#sample(`${25 * part + 12}%`, this.#server.measure())
      })
      await measured
    }
    if (!this.#hasFailed) this.faults.push(...(await flood(this.#server)))
    await this.#sample('end', this.#server.settle())
    if (this.#server.hasFailed) this.faults.push(this.#server.failure)
    else this.faults.push(...growth(this.samples))
  }

  async #visit(first: number, many: number, onDone: (done: number) => void): Promise<void> {
    let done = 0
    await run({
      port: this.#server.port,
      first,
      count: this.#hasFailed ? 0 : many,
      parallel: this.#parallel,
      visit: (index) => kindOf(index).visit,
      onOutcome: (index, _visit, outcome) => {
        this.#onVisit()
        this.#check(index, outcome)
        onDone(++done)
        return this.#hasFailed
      }
    })
  }

  get #hasFailed(): boolean {
    return this.#server.hasFailed || this.faults.length >= mostFaults
  }

  #check(index: number, { status, fault }: Outcome): void {
    const { name, status: expected } = kindOf(index)
    if (fault !== undefined) this.faults.push(`a connection ${name}: ${fault}`)
    else if (expected !== 'any' && status !== expected)
      this.faults.push(`a connection ${name} gets ${status ?? 'nothing'}`)
  }

  /** That the server has exited is reported elsewhere. */
  async #sample(when: string, measuring: Promise<Measurement>): Promise<void> {
    try {
      this.samples.push({ when, ...(await measuring) })
    } catch (error) {
      if (!this.#server.hasEnded) throw error
    }
  }
}

/** Lists what has not returned to where it was. */
export function growth(samples: readonly Sample[]): string[] {
  const [start, end] = [samples[0], samples.at(-1)]
  if (start === undefined || end === undefined) return ['nothing was measured']
  const grown = returning
    .filter((name) => end[name] !== start[name])
    .map((name) => `${name}: ${start[name]}, then ${end[name]}`)
  if (end.heap > start.heap + heapTolerance) grown.push(`the heap has grown by ${count(end.heap - start.heap)} bytes`)
  if (end.served !== end.accepted)
    grown.push(`${end.accepted} connections were accepted, and handlers got ${end.served}`)
  if (end.accepted !== end.closed) grown.push(`${end.accepted} connections were accepted and ${end.closed} closed`)
  return grown
}
