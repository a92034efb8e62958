import { inTime } from './in-time.ts'

type Kind = 'subscribe' | 'unsubscribe'

interface Job {
  readonly kind: Kind
  /** Never rejects. */
  run(): Promise<void>
}

/** Runs jobs of one kind together, and never jobs of both kinds at the same time. */
export class Turns {
  readonly #limitMs: number
  #jobs: Job[] = []
  #isRunning = false

  /** @param limitMs time that a job may take before the others continue without it, in milliseconds */
  constructor(limitMs: number) {
    this.#limitMs = limitMs
  }

  take(kind: Kind, work: () => Promise<unknown>): Promise<void> {
    return new Promise((resolve, reject) => {
      const run = () => inTime(this.#limitMs, kind, work).then(resolve, reject)
      this.#jobs.push({ kind, run })
      if (!this.#isRunning) void this.#runAll()
    })
  }

  async #runAll(): Promise<void> {
    this.#isRunning = true
    for (let [first] = this.#jobs; first !== undefined; [first] = this.#jobs) {
      const { kind } = first
      const turn = this.#jobs.filter((job) => job.kind === kind)
      this.#jobs = this.#jobs.filter((job) => job.kind !== kind)
      await Promise.all(turn.map(({ run }) => run()))
    }
    this.#isRunning = false
  }
}
