import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { serveCluster } from '@oneport/topics/cluster'
import { type Job, type Order, readReport } from './orders.ts'

/** How many processes serve the demo. If one dies, another one is started. */
const count = 2

/** The processes that serve the demo on one port. This one keeps the history, unless Redis does. */
export class Processes {
  readonly #job: Job
  readonly #say: (sentence: string) => void
  #isClosing = false

  /**
   * @param file the program that they run
   * @param say prints a sentence
   */
  constructor(file: string, job: Job, say: (sentence: string) => void) {
    this.#job = job
    this.#say = say
    if (job.redis === undefined) serveCluster()
    cluster.setupPrimary({ exec: file, args: [] })
  }

  /**
   * Resolves once they listen.
   * @returns false if they were ended meanwhile
   * @throws the system's error if they cannot listen
   */
  async start(): Promise<boolean> {
    try {
      // If the first cannot listen, neither can the others.
      await this.#fork()
      await Promise.all(Array.from({ length: count - 1 }, () => this.#fork()))
    } catch (error) {
      if (this.#isClosing) return false
      this.close()
      await Promise.all(living().map((worker) => once(worker, 'exit')))
      throw error
    }
    return !this.#isClosing
  }

  /** Ends them. */
  close(): void {
    this.#isClosing = true
    for (const worker of living()) tell(worker, { demo: 'end' })
  }

  /** Resolves once another process listens; rejects if it cannot. */
  #fork(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#isClosing) throw new Error('The demo ends.')
      const worker = cluster.fork()
      let isListening = false
      tell(worker, { demo: 'serve', job: this.#job })
      worker.on('message', (message: unknown) => {
        const report = readReport(message)
        switch (report?.demo) {
          case 'listening':
            isListening = true
            resolve()
            break
          case 'failed':
            reject(Object.assign(new Error(report.message), { code: report.code }))
            break
          case 'say':
            this.#say(report.sentence)
            break
          case 'kill':
            kill(report.pid)
        }
      })
      worker.once('exit', () => {
        reject(new Error('A process has ended before it listened.'))
        // One that cannot even start would be started over and over.
        if (isListening) this.#fork().catch(() => {})
      })
    })
  }
}

const living = (): Worker[] =>
  Object.values(cluster.workers ?? {}).flatMap((worker) => (worker === undefined || worker.isDead() ? [] : [worker]))

function tell(worker: Worker, order: Order): void {
  if (worker.isConnected()) worker.send(order)
}

/** Kills one of the processes, as a crash would. */
function kill(pid: number): void {
  const worker = living().find((each) => each.process.pid === pid)
  worker?.process.kill('SIGKILL')
}
