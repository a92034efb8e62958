import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { connectClient, refused, sendRaw } from '@oneport/test-kit'

// Monitors make starting a process even slower on a busy machine.
jest.setTimeout(60_000)

const folder = join(__dirname, '..', 'process')
const monitors = readdirSync(join(folder, 'monitors')).map((file) => file.replace('.cjs', ''))
const subjects = ['ws', 'core', 'express', 'fastify'] as const
const frameworks = ['express', 'fastify'] as const

/** A span, as returned by `spans()` in the monitor's file. */
interface Span {
  readonly name: string
  readonly path?: string
  readonly route?: string
  readonly status?: number | null
  readonly parent?: string
  readonly error?: unknown
  readonly [detail: string]: unknown
}

interface Visit {
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
function visit(monitor: string, subject: string): Promise<Visit> {
  const key = `${monitor} ${subject}`
  const made = visits.get(key) ?? makeVisit(monitor, subject)
  visits.set(key, made)
  return made
}

/** One plain request, one conversation and one refused handshake. */
async function makeVisit(monitor: string, subject: string): Promise<Visit> {
  const child = fork('main.cjs', [monitor, subject], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
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
const requests = (spans: Span[]) =>
  spans.flatMap(({ name, path, status }) => (path === undefined ? [] : [{ name, path: path.split('?')[0], status }]))

const completed = (name: (path: string) => string, paths = ['/plain', '/chat', '/refused']) =>
  paths.map((path) => ({ name: name(path), path, status: { '/plain': 200, '/chat': 101 }[path] ?? 429 }))

describe.each(monitors)('Under %s', (monitor) => {
  test.each(subjects)('connections to %s work, and the process exits with 0', async (subject) => {
    const { seen, exitCode, printed } = await visit(monitor, subject)
    expect({ seen, exitCode, printed }).toEqual({
      seen: [200, ['welcome', 'echo first', { code: 4000 }], 429],
      exitCode: 0,
      printed: ''
    })
  })

  test('core looks the same as ws alone', async () => {
    const [withWs, withCore] = [await visit(monitor, 'ws'), await visit(monitor, 'core')]
    expect(withCore.spans).toEqual(withWs.spans)
  })
})

describe('Datadog', () => {
  const ofWs = ({ monitored }: Span): boolean => monitored === 'ws'

  test('sees the handshake, each message and the close of ws alone', async () => {
    const { spans } = await visit('datadog', 'ws')
    expect(spans.filter(ofWs).map(({ name, resource, status }) => [name, resource, status])).toEqual([
      ['web.request', 'GET /chat', 101],
      ['websocket.send', 'websocket /chat', null],
      ['websocket.receive', 'websocket /chat', null],
      ['websocket.send', 'websocket /chat', null],
      ['websocket.close', 'websocket /chat', null]
    ])
  })

  test.each(frameworks)('sees the same with %s, and which message each reply answers', async (framework) => {
    const [withWs, own] = [await visit('datadog', 'ws'), await visit('datadog', framework)]
    const withoutParent = (spans: Span[]) => spans.filter(ofWs).map(({ parent: _parent, ...span }) => span)
    expect(withoutParent(own.spans)).toEqual(withoutParent(withWs.spans))
    const answer = own.spans.filter(({ name }) => name === 'websocket.send').at(-1)
    expect(answer?.parent).toBe('websocket.receive')
  })

  test.each(frameworks)('sees the requests of %s', async (framework) => {
    const { spans } = await visit('datadog', framework)
    const served = spans.filter(({ monitored }) => monitored === framework)
    expect(served.map(({ resource, status }) => [resource, status])).toEqual([
      ['GET /plain', 200],
      ['GET /chat', 101],
      ['GET /refused', 429]
    ])
  })
})

describe('OpenTelemetry for ws', () => {
  test.each(subjects)('sees one handshake with %s', async (subject) => {
    const { spans } = await visit('opentelemetry-ws', subject)
    expect(spans).toEqual([
      { name: 'HTTP GET WS', path: '/chat?token=secret', status: 101 },
      { name: 'WS upgrade', parent: 'HTTP GET WS', path: '/chat?token=secret' }
    ])
  })
})

describe('OpenTelemetry', () => {
  test.each(frameworks)('sees the requests of %s with their routes', async (framework) => {
    const { spans } = await visit('opentelemetry', framework)
    expect(requests(spans)).toEqual(completed((path) => `GET ${path}`))
    const handlers = spans.filter(({ name }) => name.startsWith('request handler'))
    expect(handlers.map(({ parent, route }) => [parent, route])).toEqual(
      // This instrumentation nests a handler in the hook that calls it; wsPlugin adds such a hook.
      ['/plain', '/chat', '/refused'].map((path) => [
        framework === 'fastify' ? 'middleware - limitHandshakes' : `GET ${path}`,
        path
      ])
    )
  })

  test('with @fastify/otel sees the requests of Fastify, and the route within each', async () => {
    const { spans } = await visit('fastify-otel', 'fastify')
    const [inner, outer] = [true, false].map((isInner) =>
      requests(spans).filter(({ name }) => (name === 'request') === isInner)
    )
    expect(outer).toEqual(completed((path) => `GET ${path}`))
    expect(inner).toEqual(completed(() => 'request'))
  })
})

describe.each([
  ['sentry', (path: string) => `GET ${path}`, (path: string) => `GET ${path}`],
  ['elastic', (path: string) => `GET ${path}`, (path: string) => `GET ${path}`],
  [
    'newrelic',
    (path: string) => `WebTransaction/Expressjs/GET/${path}`,
    (path: string) => `WebTransaction/WebFrameworkUri/Fastify/GET/${path}`
  ]
])('%s', (monitor, nameOnExpress, nameOnFastify) => {
  test.each([
    ['express', nameOnExpress],
    ['fastify', nameOnFastify]
  ] as const)('sees the requests of %s, and no error', async (framework, name) => {
    const { spans } = await visit(monitor, framework)
    expect(requests(spans)).toEqual(completed(name))
    expect(spans.filter(({ error }) => error !== undefined)).toEqual([])
  })
})
