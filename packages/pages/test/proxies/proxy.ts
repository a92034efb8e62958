import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { certificate, freePort, type Target } from '@oneport/test-kit'
import { blocksOf, root } from '../../src/markdown.ts'
import { environment, type ProxyKind, type Site, swap } from './kinds.ts'

/** The file that a page shows. */
export const configOf = ({ file }: ProxyKind): string => readFileSync(join(root, file), 'utf8')

/** The same file with one line replaced, as the page says. */
export function variantOf(kind: ProxyKind, line: string): string {
  const block = blocksOf(kind.page).find(({ label }) => label === `instead of: ${line}`)
  if (block === undefined) throw new Error(`${kind.page} has no block that says what to write instead of ${line}`)
  return swap(configOf(kind), line, block.text.trimEnd())
}

/** The application's address: its port, or the path of its Unix socket. */
export type Upstream = number | string

const at = (config: string, upstream: Upstream): string =>
  typeof upstream === 'number'
    ? swap(config, '127.0.0.1:3000', `127.0.0.1:${upstream}`)
    : swap(config, '/run/app/app.sock', upstream)

/** A proxy in its own process. */
export class RunningProxy {
  readonly plain: Target
  readonly tls: Target
  readonly #kind: ProxyKind
  readonly #site: Site
  readonly #config: string
  readonly #child: ChildProcess
  #printed = ''
  #printedMore: () => void = () => {}

  private constructor(kind: ProxyKind, site: Site, config: string) {
    this.plain = { port: site.plainPort }
    this.tls = { port: site.tlsPort, tls: true }
    this.#kind = kind
    this.#site = site
    this.#config = join(site.folder, 'config')
    writeFileSync(this.#config, kind.fit(config, site))
    this.#child = spawn(kind.program, kind.args(this.#config, site), {
      cwd: site.folder,
      env: environment(site.folder),
      stdio: ['ignore', 'ignore', 'pipe']
    })
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#printed += chunk.toString()
      this.#printedMore()
    })
    this.#child.once('close', () => this.#printedMore())
  }

  /** Starts a proxy with a configuration of its page. */
  static async start(kind: ProxyKind, upstream: Upstream, config: string = configOf(kind)): Promise<RunningProxy> {
    const folder = mkdtempSync(join(tmpdir(), `oneport-${kind.program}-`))
    // The workers of nginx run as another user.
    chmodSync(folder, 0o755)
    const { key, cert } = await certificate()
    writeFileSync(join(folder, 'app.crt'), cert)
    writeFileSync(join(folder, 'app.key'), key)
    writeFileSync(join(folder, 'app.pem'), `${cert}\n${key}`)
    const site = { folder, plainPort: await freePort(), tlsPort: await freePort() }
    return new RunningProxy(kind, site, at(config, upstream))
  }

  /** Resolves when the proxy accepts connections. Rejects if it exits first. */
  async listening(): Promise<void> {
    await this.#prints(this.#kind.started, 0)
  }

  /** Points the proxy to another application while it runs. Resolves when new connections go there. */
  async reload(upstream: Upstream): Promise<void> {
    writeFileSync(this.#config, this.#kind.fit(at(configOf(this.#kind), upstream), this.#site))
    const from = this.#printed.length
    await this.#kind.reload(this.#child, this.#config, this.#site)
    await this.#prints(this.#kind.reloaded, from)
  }

  async stop(): Promise<void> {
    if (!this.#hasEnded) {
      this.#child.kill('SIGTERM')
      await once(this.#child, 'close')
    }
    rmSync(this.#site.folder, { recursive: true })
  }

  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  async #prints(text: string, from: number): Promise<void> {
    while (!this.#printed.includes(text, from)) {
      if (this.#hasEnded) throw new Error(`${this.#kind.name} exited. It printed: ${this.#printed}`)
      await new Promise<void>((resolve) => {
        this.#printedMore = resolve
      })
    }
    await this.#kind.settled?.(this.#site)
  }
}
