import { setTimeout as sleep } from 'node:timers/promises'

type Kind = 'subscribe' | 'unsubscribe'

interface Job {
  readonly kind: Kind
  run(): Promise<void>
}

/** Has either subscriptions or their ends under way, never both; many of one kind at the same time. */
export class Turns {
  readonly #limitMs: number
  #jobs: Job[] = []
  #isRunning = false

  /** @param limitMs milliseconds that one may take before the others go on without it */
  constructor(limitMs: number) {
    this.#limitMs = limitMs
  }

  take(kind: Kind, work: () => Promise<unknown>): Promise<void> {
    return new Promise((resolve, reject) => {
      const run = () => Promise.race([work(), this.#limit(kind)]).then(() => resolve(), reject)
      this.#jobs.push({ kind, run })
      if (!this.#isRunning) void this.#runAll()
    })
  }

  async #limit(kind: Kind): Promise<never> {
    await sleep(this.#limitMs, undefined, { ref: false })
    throw new Error(`Redis has not answered a command to ${kind} in ${this.#limitMs} ms.`)
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
