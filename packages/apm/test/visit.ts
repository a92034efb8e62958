import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { connectClient, refused, sendRaw } from '@oneport/test-kit'

const folder = join(__dirname, '..', 'process')
export const monitors = readdirSync(join(folder, 'monitors')).map((file) => file.replace('.cjs', ''))
export const frameworks = ['express', 'fastify'] as const

/** Whether a program is CommonJS, or an ES module. */
export type Modules = 'cjs' | 'mjs'

/**
 * The arguments of Node that load a monitor before everything else, as docs/apm.md has them. Whoever patches what a program
 * loads by `import` needs a hook of its own.
 */
export function argumentsFor(monitor: string, modules: Modules): string[] {
  const own = `./monitors/${monitor}.cjs`
  if (modules === 'cjs') return [monitor === 'sentry' ? '--import' : '--require', own]
  return [...(hooks[monitor] ?? []), '--import', own]
}

const openTelemetry = ['--import', './hook.mjs']
export const hooks: Readonly<Record<string, readonly string[]>> = {
  datadog: ['--import', 'dd-trace/register.js'],
  elastic: ['--experimental-loader', 'elastic-apm-node/loader.mjs'],
  'fastify-otel': openTelemetry,
  newrelic: ['--import', 'newrelic/esm-loader.mjs'],
  opentelemetry: openTelemetry,
  'opentelemetry-ws': openTelemetry
}

/** A span, as returned by `spans()` in the monitor's file. */
export interface Span {
  readonly name: string
  readonly path?: string
  readonly route?: string
  readonly status?: number | null
  readonly parent?: string
  readonly error?: unknown
  readonly [detail: string]: unknown
}

export interface Visit {
  /**
   * The messages and close code that the client got, and the statuses of a plain request and of a refused handshake.
   */
  readonly seen: unknown[]
  readonly exitCode: number
  readonly printed: string
  readonly spans: Span[]
}

const children: ChildProcess[] = []
const visits = new Map<string, Promise<Visit>>()

afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
})

/** The result of a visit to a subject under a monitor; tests share it. */
export function visit(monitor: string, subject: string, modules: Modules = 'cjs'): Promise<Visit> {
  const key = `${monitor} ${subject} ${modules}`
  const made = visits.get(key) ?? makeVisit(monitor, subject, modules)
  visits.set(key, made)
  return made
}

/** One plain request, one conversation and one refused handshake. */
async function makeVisit(monitor: string, subject: string, modules: Modules): Promise<Visit> {
  const child = fork(`main.${modules}`, [monitor, subject], {
    cwd: folder,
    execArgv: argumentsFor(monitor, modules),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc']
  })
  children.push(child)
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      printed += chunk.toString()
    })
  }
  const ended = once(child, 'close').then(([exitCode]) => ({ exitCode: exitCode as number }))
  /** The next message from the process; throws with its output if it exits instead. */
  const next = async <Message>(): Promise<Message> => {
    const message = once(child, 'message').then(([first]) => first as Message)
    const first = await Promise.race([message, ended])
    if ('exitCode' in (first as object)) throw new Error(`The process exited. It printed: ${printed}`)
    return first as Message
  }

  const target = await next<{ port: number }>()
  const plain = await sendRaw(target, 'GET /plain HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n')
  const conversation = async (): Promise<unknown[]> => {
    const { socket, next: message } = await connectClient(target, '/chat?token=secret')
    const closed = once(socket, 'close').then(([code]) => ({ code }))
    const welcome = await Promise.race([message(), closed])
    socket.send('first')
    const answer = await Promise.race([message(), closed])
    socket.close(4000, 'bye')
    return [welcome, answer, await closed]
  }
  const seen = [plain.status, await conversation(), await refused(connectClient(target, '/refused'))]
  const report = next<{ spans: Span[] }>()
  child.send('end')
  const { spans } = await report
  return { seen, ...(await ended), printed, spans }
}

/** The requests that a monitor saw, with their statuses. */
export const requests = (spans: Span[]) =>
  spans.flatMap(({ name, path, status }) => (path === undefined ? [] : [{ name, path: path.split('?')[0], status }]))

export const completed = (name: (path: string) => string, paths = ['/plain', '/chat', '/refused']) =>
  paths.map((path) => ({ name: name(path), path, status: { '/plain': 200, '/chat': 101 }[path] ?? 429 }))
