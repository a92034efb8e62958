import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** A proxy with a configuration in docs/deploy. */
export interface ProxyKind {
  readonly program: 'nginx' | 'haproxy'
  /** Adapts the configuration to this place. */
  fit(config: string, folder: string, port: number, nodes: readonly number[]): string
  args(folder: string): string[]
  /** What it prints when it accepts connections, and when only the new configuration is in use. */
  readonly started: string
  readonly reloaded: string
  readonly reload: NodeJS.Signals
}

function swap(text: string, from: string | RegExp, to: string): string {
  const swapped = text.replace(from, () => to)
  if (swapped === text) throw new Error(`${from} is not in the configuration:\n${text}`)
  return swapped
}

export const nginx: ProxyKind = {
  program: 'nginx',
  fit: (config, folder, port, nodes) => {
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder};`)
    const servers = nodes.map((node) => `server 127.0.0.1:${node};`).join('\n')
    const plain = swap(swap(config, 'listen 80;', `listen 127.0.0.1:${port};`), 'server 127.0.0.1:3000;', servers)
    const server = swap(swap(plain, /listen 443 ssl;/, ''), /ssl_certificate .*\n.*ssl_certificate_key .*\n/, '\n')
    return `daemon off; pid ${folder}/pid; error_log stderr notice; events { worker_connections 4096; }
http { access_log off; ${temporary.join(' ')}\n${server}}`
  },
  args: (folder) => ['-e', 'stderr', '-c', join(folder, 'config')],
  started: 'start worker process ',
  reloaded: 'gracefully shutting down',
  reload: 'SIGHUP'
}

export const haproxy: ProxyKind = {
  program: 'haproxy',
  fit: (config, _folder, port, nodes) => {
    const servers = nodes.map((node, index) => `server app${index} 127.0.0.1:${node}`).join('\n  ')
    const plain = swap(swap(config, 'bind :80', `bind 127.0.0.1:${port}`), 'server app 127.0.0.1:3000', servers)
    return swap(plain, / *bind :443.*\n/, '')
  },
  args: (folder) => ['-W', '-S', join(folder, 'master.sock'), '-f', join(folder, 'config')],
  started: 'Loading success.',
  reloaded: 'Proxy web stopped',
  reload: 'SIGUSR2'
}

/** Debian installs nginx and HAProxy outside a user's PATH. */
const env = { PATH: `${process.env.PATH}:/usr/sbin` }

export const isInstalled = ({ program }: ProxyKind): boolean => spawnSync(program, ['-v'], { env }).error === undefined

/** A proxy in front of the nodes, in its own process. */
export class ProxyProcess {
  readonly kind: ProxyKind
  readonly port: number
  readonly #folder: string
  readonly #child: ChildProcess
  #printed = ''
  #printedMore = (): void => {}

  /** Starts a proxy. Call `listening` next. */
  constructor(kind: ProxyKind, port: number, nodes: readonly number[]) {
    this.kind = kind
    this.port = port
    this.#folder = mkdtempSync(join(tmpdir(), `oneport-torture-${kind.program}-`))
    // The workers of nginx run as another user.
    chmodSync(this.#folder, 0o755)
    const file = kind.program === 'nginx' ? 'nginx.conf' : 'haproxy.cfg'
    const config = readFileSync(join(__dirname, '../../../../docs/deploy', file), 'utf8')
    writeFileSync(join(this.#folder, 'config'), kind.fit(config, this.#folder, port, nodes))
    this.#child = spawn(kind.program, kind.args(this.#folder), { env, stdio: ['ignore', 'ignore', 'pipe'] })
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#printed += chunk.toString()
      this.#printedMore()
    })
    this.#child.once('close', () => this.#printedMore())
  }

  /** @throws Error if it exits first */
  listening(): Promise<void> {
    return this.#prints(this.kind.started, 0)
  }

  /** Resolves when the new processes accept connections. Those of the old ones live on. */
  async reload(): Promise<void> {
    const from = this.#printed.length
    this.#child.kill(this.kind.reload)
    await this.#prints(this.kind.reloaded, from)
  }

  async stop(): Promise<void> {
    if (!this.#hasEnded) {
      const ended = once(this.#child, 'close')
      // Old processes would wait for their connections.
      this.#child.kill(this.kind.program === 'nginx' ? 'SIGTERM' : 'SIGINT')
      await ended
    }
    rmSync(this.#folder, { recursive: true, force: true })
  }

  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  async #prints(text: string, from: number): Promise<void> {
    while (!this.#printed.includes(text, from)) {
      if (this.#hasEnded) throw new Error(`${this.kind.program} exited. It printed: ${this.#printed}`)
      await new Promise<void>((resolve) => {
        this.#printedMore = resolve
      })
    }
    // After that line HAProxy's master process executes itself again, and loses signals that arrive in the meantime.
    if (this.kind.program !== 'haproxy') return
    while (!(await answers(join(this.#folder, 'master.sock')))) await sleep(10)
  }
}

/** Whether HAProxy's master process answers commands. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => socket.write('show version\n'))
    socket.once('data', () => socket.destroy())
    socket.once('close', () => resolve(socket.bytesRead > 0)).on('error', () => {})
  })
}
