import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

// As built: it is what `npm start` runs, and `npm test` builds before it tests.
const main = join(__dirname, '../dist/main.js')

/** Long after the second that the demo has to end in; a process that is still there then counts as hanging. */
const patienceMs = 4_000

export interface Ended {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly err: string
}

/** The demo in processes of its own. */
export class Demo {
  readonly process: ChildProcess
  readonly #text = { out: '', err: '' }
  readonly ended: Promise<Ended>
  #timer: NodeJS.Timeout | undefined

  constructor(args: string[], env: NodeJS.ProcessEnv = {}) {
    const { PORT: _port, HOST: _host, ...inherited } = process.env
    this.process = spawn(process.execPath, [main, ...args], { env: { ...inherited, ...env } })
    for (const [name, stream] of [
      ['out', this.process.stdout],
      ['err', this.process.stderr]
    ] as const) {
      stream?.on('data', (chunk: Buffer) => {
        this.#text[name] += chunk.toString()
      })
    }
    this.ended = once(this.process, 'close').then(([exitCode, signal]) => {
      clearTimeout(this.#timer)
      return { exitCode, signal, ...this.#text }
    })
  }

  /** Waits until it has printed something. */
  async printed(text: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = text.exec(this.#text.out)
      if (match !== null) return match
      await once(this.process.stdout as NodeJS.ReadableStream, 'data')
    }
  }

  /** Waits until it has printed something to stderr. */
  async complained(text: RegExp): Promise<void> {
    while (!text.test(this.#text.err)) await once(this.process.stderr as NodeJS.ReadableStream, 'data')
  }

  /** The port in the URL that it prints. */
  async port(): Promise<number> {
    return Number((await this.printed(/localhost:(\d+).*\n/))[1])
  }

  signal(signal: NodeJS.Signals): Promise<Ended> {
    this.process.kill(signal)
    this.#timer = setTimeout(() => this.process.kill('SIGKILL'), patienceMs)
    return this.ended
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer)
    this.process.kill('SIGKILL')
    await this.ended
  }
}
