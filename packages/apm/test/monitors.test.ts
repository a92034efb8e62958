import { completed, frameworks, monitors, requests, type Span, visit } from './visit.ts'

// Monitors make starting a process even slower on a busy machine.
jest.setTimeout(60_000)

const subjects = ['ws', 'core', ...frameworks] as const

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
        framework === 'fastify' ? 'middleware - fastify -> @oneport/fastify' : `GET ${path}`,
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
