import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Measurement, Question } from './measurement.ts'
import type { Adapter } from './server.ts'
import type { SettingName } from './settings.ts'

/**
 * How long a server under test may take to release what its clients have left, in milliseconds: longer than messages
 * may wait for a listener.
 */
const settleMs = 25_000

/** A server under test, in its own process. */
export class ServerProcess {
  /** What the server has printed. A healthy server prints nothing. */
  output = ''
  /** Whether the server has exited on its own. */
  hasEnded = false
  #port = 0
  readonly #child: ChildProcess
  readonly #ended: Promise<void>

  static async start(adapter: Adapter, setting: SettingName = 'alone'): Promise<ServerProcess> {
    const child = fork(join(__dirname, '..', 'dist', 'server.js'), [adapter, setting], {
      // Express parses hostile targets with url.parse(), which prints a deprecation warning.
      execArgv: ['--expose-gc', '--no-deprecation'],
      // Express prints errors in every other environment.
      env: { ...process.env, NODE_ENV: 'test' },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc']
    })
    const server = new ServerProcess(child)
    const message = await Promise.race([once(child, 'message'), server.#ended])
    if (message === undefined) throw new Error(`The server for ${adapter} does not start: ${server.output}`)
    server.#port = message[0] as number
    return server
  }

  private constructor(child: ChildProcess) {
    this.#child = child
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.output += chunk.toString()
      })
    }
    this.#ended = once(child, 'close').then(() => {
      this.hasEnded = true
    })
  }

  get port(): number {
    return this.#port
  }

  get hasFailed(): boolean {
    return this.hasEnded || this.output !== ''
  }

  /** What went wrong with the server. */
  get failure(): string {
    return `the server ${this.hasEnded ? 'exits' : 'prints'}: ${this.output.trim()}`
  }

  /**
   * What the server holds after a garbage collection.
   * @throws Error if the server has exited
   */
  measure(): Promise<Measurement> {
    return this.#ask('measure')
  }

  /** Measures once nothing is open and no timer runs any more, or at the latest after `settleMs`. */
  async settle(): Promise<Measurement> {
    const end = performance.now() + settleMs
    // Collecting garbage each time would keep a core busy.
    while (!isSettled(await this.#ask('look')) && performance.now() < end) await delay(50)
    return this.measure()
  }

  async #ask(question: Question): Promise<Measurement> {
    const answer = once(this.#child, 'message')
    if (this.#child.connected) this.#child.send(question)
    const message = await Promise.race([answer, this.#ended])
    if (message === undefined) throw new Error('The server has exited.')
    return message[0] as Measurement
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }
}

const isSettled = ({ open, pending, connections, timers, unfinished, sockets }: Measurement): boolean =>
  open + pending + connections + timers + unfinished + sockets === 0
