import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { RedisProcess } from './across-nodes/redis-process.ts'
import { Child } from './child.ts'
import type { Settings } from './contenders/endpoint.ts'
import type { Extent } from './extent.ts'
import type { Job } from './generator/job.ts'
import type { Effort } from './generator-process.ts'
import { schedule } from './schedule.ts'
import type { ServerAnswer, ServerQuestion } from './server-process.ts'
import type { Entry, Sample, Stage, Suite } from './suites/suite.ts'

/** The results for one entry, with a sample per round. */
export interface Measured {
  readonly entry: Entry
  readonly samples: readonly Sample[]
}

export interface SuiteResult {
  readonly suite: Suite
  readonly measured: readonly Measured[]
}

interface RunningServer {
  readonly child: Child<ServerQuestion, ServerAnswer>
  readonly port: number
}

/** The processes of a run: servers on one core, the generator on the other. */
export class Lab {
  readonly #extent: Extent
  readonly #generator = new Child<Job, Effort>('The generator', join(__dirname, 'generator-process.js'), 1)
  readonly #children: { end(): Promise<void> }[] = [this.#generator]
  /** Servers that are kept for the next round and the next suite. */
  readonly #kept = new Map<string, RunningServer>()

  constructor(extent: Extent) {
    this.#extent = extent
  }

  /** Measures some entries of a suite. Calls `progress` before each round, with numbers up to 0 for warm-up. */
  async run(
    suite: Suite,
    entries: readonly Entry[],
    rounds: number,
    progress: (round: number) => void
  ): Promise<SuiteResult> {
    const measured = entries.map((entry) => ({ entry, samples: [] as Sample[] }))
    const warmUps = suite.fresh ? 0 : this.#extent.warmUps
    for (const [turn, order] of schedule(measured, rounds + warmUps).entries()) {
      const round = turn - warmUps + 1
      progress(round)
      for (const { entry, samples } of order) {
        const sample = await this.#measure(suite, entry)
        if (round > 0) samples.push(sample)
      }
    }
    return { suite, measured }
  }

  async #measure(suite: Suite, entry: Entry): Promise<Sample> {
    if (!suite.fresh) return suite.measure(this.#stage(entry, await this.#keep(suite, entry)))
    const redis = suite.redis ? await RedisProcess.start() : undefined
    const shared: Settings = redis === undefined ? {} : { redisUrl: redis.url }
    const servers = [await this.#start(entry, shared)]
    try {
      return await suite.measure(this.#stage(entry, servers[0] as RunningServer, shared, servers))
    } finally {
      await Promise.all(servers.map(({ child }) => child.end()))
      await redis?.end()
    }
  }

  #stage(entry: Entry, first: RunningServer, shared: Settings = {}, servers: RunningServer[] = []): Stage {
    const { divisor, connections, heartbeatMs } = this.#extent
    const { port } = first
    let { child } = first
    return {
      entry,
      connections,
      heartbeatMs,
      scaled: (times) => Math.ceil(times / divisor),
      server: (question) => child.ask(question),
      restart: async (how, awayMs) => {
        if (how === 'kill') await child.kill()
        else await child.ask({ ask: 'stop' })
        await child.end()
        await sleep(awayMs)
        const next = await this.#start(entry, { ...shared, port })
        servers.push(next)
        child = next.child
      },
      startOther: async () => {
        const other = await this.#start(entry, shared, undefined)
        servers.push(other)
        return other.port
      },
      generate: (job) => this.#generator.ask({ ...job, port, dialect: entry.contender.dialect } as Job)
    }
  }

  async #keep({ name, apart = false }: Suite, entry: Entry): Promise<RunningServer> {
    const key = JSON.stringify([apart && name, entry.contender.name, entry.heartbeat, entry.deflate, entry.bufferUtil])
    const server = this.#kept.get(key) ?? (await this.#start(entry))
    this.#kept.set(key, server)
    return server
  }

  /** @param core the core to pin it to; undefined for any */
  async #start(entry: Entry, own: Settings = {}, core: 0 | undefined = 0): Promise<RunningServer> {
    const { name, contender, heartbeat, deflate = false, size, bufferUtil } = entry
    const { profiles, heartbeatMs } = this.#extent
    const profiling =
      profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`, `--cpu-prof-name=${name}.cpuprofile`]
    const script = join(__dirname, 'server-process.js')
    const child = new Child<ServerQuestion, ServerAnswer>(contender.title, script, core, ['--expose-gc', ...profiling])
    this.#children.push(child)
    const settings: Settings = {
      deflate,
      ...(size !== undefined && { size }),
      ...(heartbeat !== undefined && { heartbeat: heartbeat === 'on' ? heartbeatMs : 'off' }),
      ...own
    }
    const { port } = await child.ask({ ask: 'start', contender: contender.name, settings, bufferUtil })
    return { child, port: port as number }
  }

  /** Ends all processes. */
  async end(): Promise<void> {
    await Promise.all(this.#children.map((child) => child.end()))
  }
}
