import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

const root = join(__dirname, '..', '..')

/** A copy of this repository without its tests, in which nothing is installed or built, and an empty home. */
export class Clone {
  readonly #scratch = mkdtempSync(join(tmpdir(), 'oneport-clone-'))
  readonly folder = join(this.#scratch, 'oneport')
  readonly #home = join(this.#scratch, 'home')
  readonly #runs: Run[] = []

  constructor() {
    mkdirSync(this.#home)
    const others = new Set(['node_modules', 'dist', 'coverage', '.git', 'test', 'images'])
    cpSync(root, this.folder, { recursive: true, filter: (path) => !others.has(basename(path)) })
  }

  /** The environment of someone who has never used npm: with neither the cache nor the settings of whoever runs the tests. */
  get newUser(): NodeJS.ProcessEnv {
    const kept = Object.entries(process.env).filter(([name]) => !/^(?:npm|pnpm)_|_proxy$|^XDG_/i.test(name))
    const { npm_execpath } = process.env
    return { ...Object.fromEntries(kept), npm_execpath, HOME: this.#home, USERPROFILE: this.#home }
  }

  run(command: string, args: string[], env: NodeJS.ProcessEnv = process.env): Run {
    const run = new Run(command, args, this.folder, env)
    this.#runs.push(run)
    return run
  }

  edit(file: string, change: (text: string) => string): void {
    const path = join(this.folder, file)
    writeFileSync(path, change(readFileSync(path, 'utf8')))
  }

  async remove(): Promise<void> {
    await Promise.all(this.#runs.map((run) => run.stop()))
    rmSync(this.#scratch, { recursive: true, force: true })
  }
}

/** A program, and what it prints. */
export class Run {
  readonly process: ChildProcess
  readonly ended: Promise<number | NodeJS.Signals | null>
  out = ''
  err = ''

  constructor(command: string, args: string[], cwd: string, env: NodeJS.ProcessEnv) {
    // In its own process group, so that `stop` also ends what it has started.
    this.process = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    this.process.stdout?.on('data', (chunk: Buffer) => {
      this.out += chunk.toString()
    })
    this.process.stderr?.on('data', (chunk: Buffer) => {
      this.err += chunk.toString()
    })
    this.ended = once(this.process, 'close').then(([exitCode, signal]) => signal ?? exitCode)
  }

  get lines(): string[] {
    return this.out.split('\n')
  }

  /** Waits until it has printed something. */
  async printed(text: string | RegExp): Promise<RegExpMatchArray> {
    let match = this.out.match(text)
    while (match === null) {
      const { stdout } = this.process
      const isOver = await Promise.race([this.ended.then(() => true), once(stdout as never, 'data').then(() => false)])
      match = this.out.match(text)
      if (isOver && match === null) throw new Error(`It ended and had not printed ${text}:\n${this.out}${this.err}`)
    }
    return match
  }

  async stop(): Promise<void> {
    try {
      process.kill(-(this.process.pid as number), 'SIGKILL')
    } catch {
      // They have all ended already.
    }
    await this.ended
  }
}
