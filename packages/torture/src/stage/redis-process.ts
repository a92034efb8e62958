import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A Redis server that writes down its data. */
export class RedisProcess {
  readonly url: string
  readonly #port: number
  readonly #folder = mkdtempSync(join(tmpdir(), 'oneport-torture-redis-'))
  #child: ChildProcess | undefined

  constructor(port: number) {
    this.#port = port
    this.url = `redis://127.0.0.1:${port}`
  }

  static get isInstalled(): boolean {
    return spawnSync('redis-server', ['--version']).error === undefined
  }

  /** @throws Error if it exits at once */
  async start(): Promise<void> {
    if (this.#child !== undefined) return
    const options = ['--port', String(this.#port), '--bind', '127.0.0.1', '--dir', this.#data, '--save', '']
    mkdirSync(this.#data, { recursive: true })
    const child = spawn('redis-server', [...options, '--appendonly', 'yes'], { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#child = child
    let printed = ''
    const ended = once(child, 'close').then(() => true)
    while (!printed.includes('Ready to accept connections')) {
      const more = once(child.stdout, 'data').then(([chunk]) => {
        printed += chunk
        return false
      })
      if (await Promise.race([more, ended])) throw new Error(`redis-server exited. It printed: ${printed}`)
    }
    child.stdout.resume()
  }

  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    this.#child = undefined
    const ended = once(child, 'close')
    child.kill('SIGKILL')
    await ended
  }

  hang(): void {
    this.#child?.kill('SIGSTOP')
  }

  wake(): void {
    this.#child?.kill('SIGCONT')
  }

  /** Keeps a copy of its data, for `restore`. */
  copy(): void {
    rmSync(this.#older, { recursive: true, force: true })
    cpSync(this.#data, this.#older, { recursive: true })
  }

  /** Goes back to the copy. Call it while the server does not run. */
  restore(): void {
    this.forget()
    cpSync(this.#older, this.#data, { recursive: true })
  }

  /** Loses all data. Call it while the server does not run. */
  forget(): void {
    rmSync(this.#data, { recursive: true, force: true })
  }

  async stop(): Promise<void> {
    await this.kill()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  get #data(): string {
    return join(this.#folder, 'data')
  }

  get #older(): string {
    return join(this.#folder, 'older')
  }
}
