import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Measurement, Question } from './measurement.ts'
import type { Adapter } from './server.ts'
import type { SettingName } from './settings.ts'

/**
 * Time in which a server under test lets go of what its clients have left, in milliseconds: more than messages may wait
 * for a listener.
 */
const settleMs = 25_000

/** A server under test, in a process of its own. */
export class ServerProcess {
  /** What it has printed; a server that is well prints nothing. */
  output = ''
  /** Whether it has ended by itself. */
  hasEnded = false
  #port = 0
  readonly #child: ChildProcess
  readonly #ended: Promise<void>

  static async start(adapter: Adapter, setting: SettingName = 'alone'): Promise<ServerProcess> {
    const child = fork(join(__dirname, '..', 'dist', 'server.js'), [adapter, setting], {
      // Express parses hostile targets with url.parse(), which warns once.
      execArgv: ['--expose-gc', '--no-deprecation'],
      // Express prints errors anywhere else.
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

  /** What went wrong with it. */
  get failure(): string {
    return `the server ${this.hasEnded ? 'ends' : 'prints'}: ${this.output.trim()}`
  }

  /**
   * What it holds once garbage is collected.
   * @throws Error where the server has ended
   */
  measure(): Promise<Measurement> {
    return this.#ask('measure')
  }

  /** Measures once nothing is open and no timer runs any more, or when that takes too long. */
  async settle(): Promise<Measurement> {
    const end = performance.now() + settleMs
    // Collections all the time would keep a core busy.
    while (!isSettled(await this.#ask('look')) && performance.now() < end) await delay(50)
    return this.measure()
  }

  async #ask(question: Question): Promise<Measurement> {
    const answer = once(this.#child, 'message')
    if (this.#child.connected) this.#child.send(question)
    const message = await Promise.race([answer, this.#ended])
    if (message === undefined) throw new Error('The server has ended.')
    return message[0] as Measurement
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }
}

const isSettled = ({ open, pending, connections, timers, unfinished, sockets }: Measurement): boolean =>
  open + pending + connections + timers + unfinished + sockets === 0
