import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { NodeSettings } from '../settings.ts'

/** A node in its own process. */
export class NodeProcess {
  /** What it has printed. A healthy node prints nothing. */
  output = ''
  readonly settings: NodeSettings
  #child: ChildProcess | undefined
  #isWanted = false

  constructor(settings: NodeSettings) {
    this.settings = settings
  }

  /** @throws Error if it exits at once */
  async start(): Promise<void> {
    if (this.#child !== undefined) return
    this.#isWanted = true
    const child = fork(join(__dirname, '..', '..', 'dist', 'node.js'), [JSON.stringify(this.settings)], {
      execArgv: [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc']
    })
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

  /** Kills it with SIGKILL. */
  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    this.#isWanted = false
    const ended = once(child, 'close')
    child.kill('SIGKILL')
    await ended
  }
}
