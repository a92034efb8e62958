import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { certificate, freePort } from '@oneport/test-kit'
import { transformSync } from '@swc/core'
import { type ClientOptions, WebSocket } from 'ws'
import { type Block, root } from './markdown.ts'

/** Inside packages/pages, so that programs resolve their packages as a user's program does. */
const folder = join(__dirname, '..', 'node_modules', '.cache', `examples-${process.pid}`)

/** Time limit for a program to start listening, in milliseconds. Some compile first, on a machine that does other things too. */
const startMs = 30_000

/** Time limit for a program to print something, and to exit, in milliseconds. */
const patienceMs = 10_000

/**
 * Ends a program that an example becomes: closes the pipe that tells that everything above has run. In between,
 * Fastify 5 throws if a signal closes it while `listen` looks up the addresses of localhost, though it listens already.
 * Workers of `node:cluster` have their own channel there, and threads share it.
 */
const lastLine = `
import { isMainThread as isProgram } from 'node:worker_threads'
if (isProgram && !process.connected) (await import('node:fs')).closeSync(3)
`

/** Stands for the port while types are stripped: esbuild would write 3000 as 3e3. */
const placeholder = 54_321

const sources = join(folder, 'src')
const nameOf = (name: string, { language }: Block): string => `${name}.${language === 'ts' ? 'mts' : 'mjs'}`

/** Writes the programs as files. One call of esbuild strips the types. */
export function writePrograms(programs: ReadonlyMap<string, Block>): void {
  for (const name of [
    'client',
    'core',
    'express',
    'fastify',
    'hono',
    'koa',
    'nestjs',
    'topics',
    'postgres',
    'redis',
    'testing'
  ]) {
    if (existsSync(join(root, 'packages', name, 'dist', 'index.mjs'))) continue
    throw new Error(`packages/${name} is not built: examples run what npm would install. Call "npm run build" first.`)
  }
  mkdirSync(sources, { recursive: true })
  const files = [...programs].flatMap(([name, block]) => {
    const file = join(sources, nameOf(name, block))
    const text = atPort(block.text, placeholder)
    writeFileSync(file, text)
    if (!text.includes("from '@nestjs/")) return [file]
    writeFileSync(join(folder, `${name}.mjs`), withMetadata(text))
    return []
  })
  const esbuild = join(root, 'node_modules', '.bin', 'esbuild')
  const out = ['--format=esm', '--target=node20', `--outdir=${folder}`, '--out-extension:.js=.mjs', '--log-level=error']
  execFileSync(esbuild, [...files, ...out], { stdio: 'pipe' })
}

/** Strips the types of a program for NestJS, which reads those of constructors at run time; esbuild leaves them out. */
export const withMetadata = (source: string): string =>
  transformSync(source, {
    jsc: {
      target: 'es2023',
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true }
    },
    module: { type: 'es6' }
  }).code

/** Writes the certificate that programs with TLS read. */
export async function writeCertificate(): Promise<void> {
  const { key, cert } = await certificate()
  writeFileSync(join(folder, 'key.pem'), key)
  writeFileSync(join(folder, 'cert.pem'), cert)
}

export const removePrograms = (): void => rmSync(folder, { recursive: true, force: true })

/**
 * Type-checks all programs in a language, as strictly as a careful user would. JavaScript may leave types out.
 * @returns the compiler's output
 */
export async function checkTypes(programs: ReadonlyMap<string, Block>, language: 'js' | 'ts'): Promise<string> {
  const compilerOptions = {
    target: 'es2023',
    lib: ['es2023', 'dom'],
    module: 'nodenext',
    types: ['node'],
    strict: true,
    noImplicitAny: language === 'ts',
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    isolatedModules: true,
    moduleDetection: 'force',
    allowJs: true,
    checkJs: true,
    skipLibCheck: true,
    noEmit: true
  }
  const files = [...programs].filter(([, block]) => block.language === language).map(([name, b]) => nameOf(name, b))
  const config = join(sources, `tsconfig.${language}.json`)
  writeFileSync(config, JSON.stringify({ compilerOptions, files }))
  const tsc = join(root, 'node_modules', '.bin', 'tsc')
  return promisify(execFile)(tsc, ['-p', config, '--pretty', 'false']).then(
    ({ stdout }) => stdout,
    ({ stdout, stderr }: { stdout: string; stderr: string }) => stdout + stderr
  )
}

/** Runs an example to its end. Rejects unless its exit code is 0. @returns its output */
export async function runScript(name: string): Promise<string> {
  const { NODE_ENV: _test, ...env } = process.env
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, `${name}.mjs`)], { env })
  return stdout
}

/** Runs a shell command of a page against a program. @returns its output */
export async function runShell(text: string, port: number): Promise<string> {
  const { stdout } = await promisify(execFile)('sh', ['-c', atPort(text, port).replace(/^curl /gm, 'curl -sS ')])
  return stdout.replaceAll('\r\n', '\n')
}

/** Replaces the port in a page's text by the port in use. */
export const atPort = (text: string, port: number): string => text.replace(/\b3000\b/g, String(port))

/** The answer to an opening handshake. */
export interface Answer {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly body: string
  /** Open if the status is 101. */
  readonly socket: WebSocket
  /** The next message, as text. */
  next(): Promise<string>
  /** Resolves when the connection closes. */
  readonly closed: Promise<{ code: number; reason: string }>
}

/** An example that runs in its own process. */
export class Program {
  readonly port: number
  readonly #process: ChildProcess
  readonly #sockets: WebSocket[] = []
  readonly #timers: NodeJS.Timeout[] = []
  #hasEnded = false
  #output = ''

  private constructor(child: ChildProcess, port: number) {
    this.#process = child
    this.port = port
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#output += chunk.toString()
      })
    }
  }

  /**
   * Starts an example and waits until all of it has run, and it listens.
   * @param packages what to import instead of these packages: other versions
   */
  static async start(
    name: string,
    env: NodeJS.ProcessEnv = {},
    packages: Readonly<Record<string, string>> = {}
  ): Promise<Program> {
    const port = await freePort()
    const file = join(folder, `${name}-${port}.mjs`)
    const text = readFileSync(join(folder, `${name}.mjs`), 'utf8').replaceAll(String(placeholder), String(port))
    const changed = Object.entries(packages).reduce((all, [from, to]) => all.replace(`"${from}"`, `"${to}"`), text)
    writeFileSync(file, changed + lastLine)
    return Program.#run(`Example ${name}`, [file], folder, env, port, process.execPath, 'pipe')
  }

  /**
   * Starts an application of the folder `examples` with its own `npm start`, and waits until it listens.
   * @param name its folder
   * @param port the port to listen on; a free one by default
   */
  static async startApplication(name: string, env: NodeJS.ProcessEnv = {}, port?: number): Promise<Program> {
    const cwd = resolve(root, 'examples', name)
    const { start } = JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8')).scripts as { start: string }
    const [command, ...args] = start.split(' ')
    if (command !== 'node')
      throw new Error(`npm start of ${name} has to run node, so that a signal reaches it: ${start}`)
    const listenOn = port ?? (await freePort())
    return Program.run(`The application ${name}`, args, cwd, { ...env, PORT: String(listenOn) }, listenOn)
  }

  /**
   * Runs Node with these arguments, and waits until something listens on the port.
   * @param what its name in errors
   * @param node another version of Node
   */
  static run(
    what: string,
    args: readonly string[],
    cwd: string,
    env: NodeJS.ProcessEnv,
    port: number,
    node: string = process.execPath
  ): Promise<Program> {
    return Program.#run(what, args, cwd, env, port, node, 'ignore')
  }

  /** @param last a pipe that the program closes when all of it has run */
  static async #run(
    what: string,
    args: readonly string[],
    cwd: string,
    env: NodeJS.ProcessEnv,
    port: number,
    node: string,
    last: 'ignore' | 'pipe'
  ): Promise<Program> {
    const { NODE_ENV: _test, ...inherited } = process.env
    const child = spawn(node, args, {
      cwd,
      env: { ...inherited, ...env },
      stdio: ['ignore', 'pipe', 'pipe', last]
    })
    const program = new Program(child, port)
    let hasRun = last === 'ignore'
    const pipe = child.stdio[3] as Readable | null | undefined
    pipe?.resume().once('close', () => {
      hasRun = true
    })
    const giveUp = Date.now() + startMs
    while (!(hasRun && (await program.#listens()))) {
      if (child.exitCode === null && Date.now() < giveUp) {
        await sleep(20)
        continue
      }
      await program.end()
      throw new Error(`${what} does not listen on its port. It printed: ${program.output}`)
    }
    return program
  }

  #listens(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connectTcp(this.port, 'localhost')
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
  }

  /** What the program has printed so far. */
  get output(): string {
    return this.#output
  }

  /** Waits until the program has printed a text. */
  async printed(text: string): Promise<void> {
    const giveUp = Date.now() + patienceMs
    while (!this.#output.includes(text)) {
      if (Date.now() > giveUp) throw new Error(`Expected ${JSON.stringify(text)}; the program printed: ${this.#output}`)
      await sleep(10)
    }
  }

  /** The origin of the program's pages. */
  get origin(): string {
    return `http://localhost:${this.port}`
  }

  fetch(path: string, init?: RequestInit): Promise<Response> {
    return fetch(this.origin + path, init)
  }

  /** Sends an opening handshake and waits for the answer, whatever its status. */
  async connect(path: string, options: ClientOptions = {}, subprotocols: string[] = []): Promise<Answer> {
    const socket = new WebSocket(`ws://localhost:${this.port}${path}`, subprotocols, options)
    this.#sockets.push(socket)
    const queue: string[] = []
    const waiting: ((text: string) => void)[] = []
    socket.on('message', (data) => {
      const take = waiting.shift()
      if (take === undefined) queue.push(String(data))
      else take(String(data))
    })
    const rest = {
      socket,
      next: async () => queue.shift() ?? new Promise<string>((resolve) => waiting.push(resolve)),
      closed: new Promise<{ code: number; reason: string }>((resolve) => {
        socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }))
      })
    }
    return new Promise((resolve, reject) => {
      socket.on('error', reject)
      socket.on('upgrade', ({ headers }) => {
        socket.once('open', () => resolve({ status: 101, headers, body: '', ...rest }))
      })
      socket.on('unexpected-response', (request, response) => {
        let body = ''
        response.on('data', (chunk: Buffer) => {
          body += chunk.toString()
        })
        response.on('end', () => {
          request.destroy()
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body, ...rest })
        })
      })
    })
  }

  /**
   * Runs lines as they would run in the browser console, on a page of this program.
   * @returns the logged lines
   */
  async console(text: string, lines: number): Promise<string[]> {
    const { origin } = this
    const sockets = this.#sockets
    class BrowserWebSocket extends WebSocket {
      constructor(url: string, subprotocols?: string | string[]) {
        super(url, subprotocols, { origin })
        // Unlike in Node, an `error` event without a listener does nothing in a browser.
        this.on('error', () => {})
        sockets.push(this)
      }
    }
    const logged: string[] = []
    const done = new Promise<void>((resolve) => {
      const log = (...values: unknown[]) => {
        logged.push(values.map(String).join(' '))
        if (logged.length === lines) resolve()
      }
      const browserFetch = (path: string, init?: RequestInit) => fetch(new URL(path, origin), init)
      const AsyncFunction = (async () => {}).constructor as FunctionConstructor
      // Like a page, forgets its timers when it is left.
      const wait = (callback: () => void, ms: number) => {
        if (!this.#hasEnded) this.#timers.push(setTimeout(callback, ms))
      }
      const run = AsyncFunction('WebSocket', 'console', 'fetch', 'location', 'setTimeout', atPort(text, this.port))
      void run(BrowserWebSocket, { log }, browserFetch, new URL(origin), wait)
    })
    await Promise.race([done, sleep(patienceMs, undefined, { ref: false })])
    return logged
  }

  /** Sends a signal that the program survives. */
  tell(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  /** Sends a signal and waits for the program to exit. @returns the exit code */
  async signal(signal: NodeJS.Signals): Promise<number | null> {
    const ended = once(this.#process, 'exit')
    this.#process.kill(signal)
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), patienceMs)
    const [exitCode] = (await ended) as [number | null]
    clearTimeout(timer)
    return exitCode
  }

  /** Closes the program's connections, and ends it if it is running. */
  async end(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.#hasEnded = true
    for (const timer of this.#timers) clearTimeout(timer)
    for (const socket of this.#sockets) socket.terminate()
    if (this.#process.exitCode === null && this.#process.signalCode === null) await this.signal(signal)
  }
}
