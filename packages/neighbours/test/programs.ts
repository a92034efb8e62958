import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Target } from '@oneport/test-kit'
import type { Command } from '../src/program.ts'
import { within } from './within.ts'

const started: RunningProgram[] = []

/** For `afterEach`: ends the processes that the tests have started. */
export async function endPrograms(): Promise<void> {
  await Promise.all(started.splice(0).map((program) => program.end()))
}

/** A neighbour in its own process. */
export class RunningProgram implements Target {
  readonly port: number
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>

  private constructor(child: ChildProcess, ended: Promise<unknown>, port: number) {
    this.#child = child
    this.#ended = ended
    this.port = port
  }

  /** Starts a program of `src`. Oneport is attached before the neighbour, or not yet. */
  static async start(
    name: string,
    order: 'first' | 'later',
    claims = false,
    args: string[] = []
  ): Promise<RunningProgram> {
    let output = ''
    const { NODE_ENV: _test, ...env } = process.env
    const child = fork(join(__dirname, '..', 'dist', `${name}.js`), [order, claims ? 'claims' : 'none', ...args], {
      env: { ...env, NEXT_TELEMETRY_DISABLED: '1' },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc']
    })
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk) => {
        output += String(chunk)
      })
    }
    const ended = once(child, 'close')
    const message = await Promise.race([once(child, 'message'), ended.then(() => undefined)])
    if (message === undefined) throw new Error(`${name} does not start: ${output}`)
    const program = new RunningProgram(child, ended, message[0] as number)
    started.push(program)
    return program
  }

  async tell(command: Command): Promise<number> {
    const answer = once(this.#child, 'message')
    this.#child.send(command)
    const [value] = (await within(`the program runs the command: ${command.name}`, answer)) as [number]
    return value
  }

  /** Closes the server. Rejects if a connection is left. */
  async close(): Promise<void> {
    expect(await this.tell({ name: 'close' })).toBe(0)
  }

  async end(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }
}
