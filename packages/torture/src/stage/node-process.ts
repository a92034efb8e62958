import { type ChildProcess, type ForkOptions, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { NodeSettings } from '../settings.ts'

/** A node that can be killed, and started again. */
export interface Node {
  readonly settings: NodeSettings
  /** What it has printed, and whether it ended by itself. A healthy node prints nothing. */
  readonly output: string
  /** @throws Error if it exits at once */
  start(): Promise<void>
  /** Kills it with SIGKILL. */
  kill(): Promise<void>
}

/** Starts a built program of this package. */
export const forkProgram = (name: string, args: readonly string[], options: ForkOptions = {}): ChildProcess =>
  fork(join(__dirname, '..', '..', 'dist', name), args, {
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    ...options
  })

/** A node in its own process. */
export class NodeProcess implements Node {
  output = ''
  readonly settings: NodeSettings
  #child: ChildProcess | undefined
  #isWanted = false

  constructor(settings: NodeSettings) {
    this.settings = settings
  }

  async start(): Promise<void> {
    if (this.#child !== undefined) return
    this.#isWanted = true
    const child = forkProgram('node.js', [JSON.stringify(this.settings)])
    this.#child = child
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.output += chunk.toString()
      })
    }
    const ended = once(child, 'close').then(([code, signal]) => {
      if (this.#isWanted) this.output += `The node exited with ${code ?? signal}.`
      this.#child = undefined
      return true
    })
    if ((await Promise.race([once(child, 'message'), ended])) === true) throw new Error(this.output)
  }

  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    this.#isWanted = false
    const ended = once(child, 'close')
    child.kill('SIGKILL')
    await ended
  }
}
