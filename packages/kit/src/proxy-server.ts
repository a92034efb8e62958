import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './port.ts'
import type { Program } from './program.ts'

export const nginxProgram: Program = { path: '/usr/sbin/nginx', aptPackage: 'nginx' }
export const haproxyProgram: Program = { path: '/usr/sbin/haproxy', aptPackage: 'haproxy' }

/** nginx or HAProxy on a free local port, in its own process. */
export class ProxyServer {
  readonly port: number
  readonly #folder: string
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  readonly #signal: NodeJS.Signals

  private constructor(port: number, folder: string, child: ChildProcess, signal: NodeJS.Signals) {
    this.port = port
    this.#folder = folder
    this.#child = child
    this.#signal = signal
    this.#ended = once(child, 'close')
  }

  /** @param lines those of a `server` block, without `listen`; everything else is as nginx has it by default */
  static startNginx(lines: string): Promise<ProxyServer> {
    return ProxyServer.#start(nginxProgram, 'start worker process ', 'SIGTERM', (port, folder) => {
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
        (name) => `${name}_temp_path ${folder};`
      )
      return `daemon off; pid ${folder}/pid; error_log stderr notice; events {}
http { access_log off; ${temporary.join(' ')}
server { listen 127.0.0.1:${port};\n${lines}\n} }\n`
    })
  }

  /** @param lines a section `frontend` without `bind`, and what follows. The section `defaults` sets `mode http` */
  static startHaproxy(lines: string): Promise<ProxyServer> {
    return ProxyServer.#start(haproxyProgram, 'Loading success.', 'SIGINT', (port) => {
      const defaults = 'defaults\nmode http\ntimeout connect 5s\ntimeout client 30s\ntimeout server 30s\n'
      return `${defaults}frontend web\nbind 127.0.0.1:${port}\n${lines}\n`
    })
  }

  static async #start(
    { path }: Program,
    started: string,
    signal: NodeJS.Signals,
    configFor: (port: number, folder: string) => string
  ): Promise<ProxyServer> {
    const port = await freePort()
    const folder = mkdtempSync(join(tmpdir(), 'oneport-proxy-'))
    // The workers of nginx run as another user.
    chmodSync(folder, 0o755)
    const file = join(folder, 'config')
    writeFileSync(file, configFor(port, folder))
    const args = path === nginxProgram.path ? ['-e', 'stderr', '-c', file] : ['-W', '-f', file]
    const child = spawn(path, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    const server = new ProxyServer(port, folder, child, signal)
    let printed = ''
    child.stderr.on('data', (chunk: Buffer) => {
      printed += chunk.toString()
    })
    const ended = server.#ended.then(() => true)
    while (!printed.includes(started)) {
      if (await Promise.race([ended, once(child.stderr, 'data').then(() => false)])) {
        throw new Error(`${path} exited. It printed: ${printed}`)
      }
    }
    return server
  }

  /** Ends it, with all connections. */
  async stop(): Promise<void> {
    this.#child.kill(this.#signal)
    await this.#ended
    rmSync(this.#folder, { recursive: true })
  }
}
