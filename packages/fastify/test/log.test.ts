import { closed, handshake, headArrived, sendRaw, signal } from '@oneport/test-kit'
import { type FastifyInstance, type FastifyRequest, LogController } from 'fastify'
import type { HandshakeError } from '../src/index.ts'
import { connect, echo, error, isCompleted, isOpen, keepLog, makeApp, open, start, warn } from './harness.ts'

const foreign = { Origin: 'https://evil.example' }

test('an accepted handshake is one completed request with status 101 and its request id', async () => {
  const log = keepLog()
  const app = await makeApp({ logger: log.options, genReqId: () => 'the-id' })
  const ended = signal()
  app.get('/echo', { websocket: true }, (socket, request) => {
    request.log.info('from the handler')
    socket.on('close', () => ended.give())
    echo(socket)
  })
  const client = await connect(await start(app), '/echo')
  await log.line(isCompleted)
  expect(await isOpen(client)).toBe(true)
  client.socket.close()
  await ended.given
  await app.close()
  const ofRequest = log.lines.filter(({ reqId }) => reqId !== undefined)
  expect(ofRequest.map(({ msg }) => msg)).toEqual([
    'incoming request',
    'from the handler',
    'request completed',
    'WebSocket closed'
  ])
  expect(new Set(ofRequest.map(({ reqId }) => reqId))).toEqual(new Set(['the-id']))
  expect(ofRequest[2]).toMatchObject({ level: 30, res: { statusCode: 101 }, responseTime: expect.any(Number) })
  expect(ofRequest[3]).toMatchObject({
    level: 30,
    path: '/echo',
    code: 1005,
    initiator: 'client',
    durationMs: expect.any(Number),
    bytesIn: expect.any(Number),
    bytesOut: expect.any(Number)
  })
})

test('a request id from a header applies to the handshake', async () => {
  const log = keepLog()
  const app = await makeApp({ logger: log.options, requestIdHeader: 'x-request-id' })
  app.get('/echo', { websocket: true }, echo)
  await sendRaw(await start(app), handshake('/echo', { 'X-Request-Id': 'from-the-proxy' }), headArrived)
  expect(await log.line(isCompleted)).toMatchObject({ reqId: 'from-the-proxy', res: { statusCode: 101 } })
})

test('a refused origin is one line of level warn with origin, host and rule', async () => {
  const log = keepLog()
  const app = await makeApp({ logger: log.options }, { allowedOrigins: ['https://app.example'] })
  app.get('/echo', { websocket: true }, echo)
  await sendRaw(await start(app), handshake('/echo', foreign))
  const completed = await log.line(isCompleted)
  expect(completed).toMatchObject({ res: { statusCode: 403 }, reqId: expect.any(String) })
  const warnings = log.lines.filter(({ level }) => level >= warn)
  expect(warnings).toEqual([expect.objectContaining({ level: warn, reqId: completed.reqId, code: 'HANDSHAKE_ORIGIN' })])
  expect(warnings[0]?.detail).toMatch(
    /^origin "https:\/\/evil\.example", effective host "app\.example", scheme unknown, allowed: 'https:\/\/app\.example'\n/
  )
})

describe('regression: a refused origin was logged twice; now once', () => {
  const handlers: [string, ((app: FastifyInstance) => unknown) | undefined][] = [
    ['by the default error handler', undefined],
    ['by one that passes it on', (app) => app.setErrorHandler((error, _request, reply) => reply.send(error))],
    ['by one that answers', (app) => app.setErrorHandler((_error, _request, reply) => reply.code(403).send('no'))]
  ]
  test.each(handlers)('if it is answered %s', async (_name, setHandler) => {
    for (const path of ['/echo', '/reply']) {
      const log = keepLog()
      const app = await makeApp({ logger: log.options })
      setHandler?.(app)
      app.get('/echo', { websocket: true }, echo)
      app.get('/reply', (_request, reply) => reply.acceptWebSocket(() => {}))
      await sendRaw(await start(app), handshake(path, foreign))
      const completed = await log.line(isCompleted)
      expect(completed).toMatchObject({ level: 30, res: { statusCode: 403 } })
      const others = log.lines.filter(
        ({ msg }) => !/^(?:incoming request|request completed|Server listening)/.test(msg ?? '')
      )
      expect(others).toEqual([expect.objectContaining({ level: warn, code: 'HANDSHAKE_ORIGIN' })])
    }
  })

  test('and everything else is logged as before', async () => {
    const log = keepLog()
    const app = await makeApp({ logger: log.options })
    app.setErrorHandler((error, _request, reply) => {
      reply.log.info({ err: new Error('another') }, 'one more')
      reply.log.child({ part: 'child' }).info('of a child')
      return reply.send(error)
    })
    app.get('/echo', { websocket: true }, echo)
    await sendRaw(await start(app), handshake('/echo', foreign))
    const { reqId } = await log.line(isCompleted)
    expect(log.lines.filter(({ msg }) => msg === 'one more')).toEqual([expect.objectContaining({ reqId })])
    expect(log.lines.filter(({ part }) => part === 'child')).toEqual([expect.objectContaining({ reqId })])
  })
})

describe('regression: a refusal by a limit, before routing, was logged to stderr as well:', () => {
  test.each([
    ['HANDSHAKE_TOO_MANY', { maxPendingHandshakes: 2, maxPendingHandshakesPerAddress: 1 }],
    ['HANDSHAKE_UNAVAILABLE', { maxPendingHandshakes: 1 }]
  ])('%s', async (refusal, limits) => {
    const log = keepLog()
    const stuck = signal()
    const app = await makeApp({ logger: log.options }, { ...limits, handshakeTimeoutMs: Infinity })
    app.get('/stuck', { preHandler: () => stuck.given, websocket: true }, echo)
    const target = await start(app)
    const first = await open(target)
    first.write(handshake('/stuck'))
    await log.line(({ msg }) => msg === 'incoming request')
    await sendRaw(target, handshake('/stuck'))
    expect(log.lines.filter(({ code, err }) => code !== undefined || err !== undefined)).toEqual([
      expect.objectContaining({ level: warn, code: refusal, detail: expect.stringMatching(/^maxPending\w+ is 1/) })
    ])
    stuck.give()
  })
})

test.each([
  ['not trusted', {}, "If it is yours: Fastify({ trustProxy: '127.0.0.1' })"],
  ['trusted', { trustProxy: '127.0.0.1' }, undefined]
])('a proxy that is %s: the log suggests trustProxy only if it is needed', async (_what, options, hint) => {
  const log = keepLog()
  const app = await makeApp({ logger: log.options, ...options })
  app.get('/echo', { websocket: true }, echo)
  const fields = { Origin: 'https://public.example', 'X-Forwarded-Host': 'public.example' }
  await sendRaw(await start(app), handshake('/echo', fields), headArrived)
  await log.line(isCompleted)
  const details = log.lines.flatMap(({ detail }) => detail ?? [])
  expect(details).toEqual(hint === undefined ? [] : [expect.stringContaining(hint)])
})

test.each([
  ['a malformed key', { 'Sec-WebSocket-Key': 'short' }],
  ['an old version', { 'Sec-WebSocket-Version': '8' }],
  ['a malformed list of subprotocols', { 'Sec-WebSocket-Protocol': 'a b' }]
])('a refusal that is the client’s own fault is not a warning: %s', async (_what, fields) => {
  const log = keepLog()
  const app = await makeApp({ logger: log.options })
  app.get('/echo', { websocket: true }, echo)
  await sendRaw(await start(app), handshake('/echo', fields))
  await log.line(isCompleted)
  expect(log.lines.filter(({ level }) => level >= warn)).toEqual([])
})

test('a refusal before routing is logged once too', async () => {
  const log = keepLog()
  const refusals: string[] = []
  const app = await makeApp({ logger: log.options }, { onRefused: ({ code }) => refusals.push(code) })
  app.get('/echo', { websocket: true }, echo)
  await sendRaw(await start(app), handshake('/echo', { Host: undefined }))
  expect(refusals).toEqual(['HANDSHAKE_HOST'])
})

test('onRefused replaces the log line and gets the raw request', async () => {
  const log = keepLog()
  const refusals: [HandshakeError, string | undefined][] = []
  const app = await makeApp(
    { logger: log.options },
    { onRefused: (refusal, request) => refusals.push([refusal, request.url]) }
  )
  app.get('/echo', { websocket: true }, echo)
  await sendRaw(await start(app), handshake('/echo?a=1', foreign))
  await log.line(isCompleted)
  expect(refusals).toEqual([[expect.objectContaining({ code: 'HANDSHAKE_ORIGIN' }), '/echo?a=1']])
  expect(log.lines.filter(({ level }) => level >= warn)).toEqual([])
})

describe('a fault in a connection', () => {
  const phases: [string, (socket: { on(event: 'message', listener: () => unknown): unknown }) => unknown][] = [
    [
      'handler',
      () => {
        throw new Error('broken')
      }
    ],
    ['handler', () => Promise.reject(new Error('broken'))],
    [
      'listener',
      (socket) =>
        socket.on('message', () => {
          throw new Error('broken')
        })
    ]
  ]

  test.each(phases)('is logged once through app.log, with the phase: %s', async (phase, handler) => {
    const log = keepLog()
    const app = await makeApp({ logger: log.options })
    app.get('/broken', { websocket: true }, handler)
    const { socket } = await connect(await start(app), '/broken')
    socket.send('go')
    const line = await log.line(({ level }) => level === error)
    expect(line).toMatchObject({
      phase,
      err: { message: 'broken' },
      msg: 'fault in a WebSocket connection',
      reqId: expect.any(String)
    })
    await app.close()
    expect(log.lines.filter(({ level }) => level >= error)).toHaveLength(1)
  })

  test('goes to onError instead if the application has one', async () => {
    const log = keepLog()
    const faults: unknown[] = []
    const reported = signal()
    const app = await makeApp(
      { logger: log.options },
      {
        onError: (fault, { phase, socket }) => {
          faults.push([(fault as Error).message, phase, socket === undefined])
          reported.give()
        }
      }
    )
    app.get('/broken', { websocket: true }, () => Promise.reject(new Error('broken')))
    await connect(await start(app), '/broken')
    await reported.given
    expect(faults).toEqual([['broken', 'handler', false]])
    expect(log.lines.filter(({ level }) => level >= warn)).toEqual([])
  })

  test('does not reveal sockets or requests in its line', async () => {
    const log = keepLog()
    const app = await makeApp({ logger: log.options })
    app.get('/broken', { websocket: true }, () => Promise.reject(new Error('broken')))
    await connect(await start(app), '/broken', [], { headers: { Authorization: 'Bearer secret' } })
    const line = await log.line(({ level }) => level === error)
    expect(JSON.stringify(line)).not.toContain('secret')
  })
})

test('logLevel of a route applies to its handshakes', async () => {
  const log = keepLog()
  const app = await makeApp({ logger: log.options })
  app.get('/quiet', { websocket: true, logLevel: 'warn' }, echo)
  expect(await isOpen(await connect(await start(app), '/quiet'))).toBe(true)
  await app.close()
  expect(log.lines.filter(({ reqId }) => reqId !== undefined)).toEqual([])
})

test.each([
  ['disableRequestLogging', { disableRequestLogging: true }, {}],
  ['an onClosed of its own', {}, { onClosed: () => {} }]
])('a closed connection is not logged with %s', async (_what, options, pluginOptions) => {
  const log = keepLog()
  const app = await makeApp({ logger: log.options, ...options }, pluginOptions)
  app.get('/echo', { websocket: true }, echo)
  const { socket } = await connect(await start(app), '/echo')
  const [connection] = app.websockets.connections
  const ended = new Promise((resolve) => connection?.once('close', resolve))
  socket.close()
  await ended
  await app.close()
  expect(log.lines.filter(({ msg }) => msg === 'WebSocket closed')).toEqual([])
})

describe('logController', () => {
  const connectAndClose = async (logController: LogController, path = '/echo') => {
    const log = keepLog()
    const app = await makeApp({ logger: log.options, logController, genReqId: () => 'the-id' })
    app.get('/echo', { websocket: true }, echo)
    app.get('/quiet', { websocket: true }, echo)
    const { socket } = await connect(await start(app), path)
    socket.close(4000)
    await closed(socket)
    await app.close()
    return log.lines.filter(({ msg }) => !msg?.startsWith('Server listening'))
  }

  test('regression: "WebSocket closed" was logged in spite of its disableRequestLogging', async () => {
    expect(await connectAndClose(new LogController({ disableRequestLogging: true }))).toEqual([])
  })

  test('decides on each request with a function, or with its own method', async () => {
    const isQuiet = ({ url }: FastifyRequest): boolean => url === '/quiet'
    class Selective extends LogController {
      override isLogDisabled(request: FastifyRequest): boolean {
        return isQuiet(request)
      }
    }
    for (const controller of [new LogController({ disableRequestLogging: isQuiet }), new Selective()]) {
      expect(await connectAndClose(controller, '/quiet')).toEqual([])
      expect((await connectAndClose(controller)).map(({ msg }) => msg)).toEqual([
        'incoming request',
        'request completed',
        'WebSocket closed'
      ])
    }
  })

  test('regression: its requestIdLogLabel was not used for "WebSocket closed"', async () => {
    const lines = await connectAndClose(new LogController({ requestIdLogLabel: 'trace' }))
    expect(lines.map(({ trace }) => trace)).toEqual(['the-id', 'the-id', 'the-id'])
  })

  test('leaves faults and refused origins in the log', async () => {
    const log = keepLog()
    const logController = new LogController({ disableRequestLogging: true })
    const app = await makeApp({ logger: log.options, logController })
    app.get('/broken', { websocket: true }, () => Promise.reject(new Error('broken')))
    const target = await start(app)
    await sendRaw(target, handshake('/broken', foreign))
    await connect(target, '/broken')
    await log.line(({ level }) => level === error)
    expect(log.lines.filter(({ level }) => level >= warn).map(({ msg }) => msg)).toEqual([
      'Origin "https://evil.example" is not allowed here.',
      'fault in a WebSocket connection'
    ])
  })
})

test('regression: disableRequestLogging as a function did not apply to "WebSocket closed"', async () => {
  const log = keepLog()
  const app = await makeApp({ logger: log.options, disableRequestLogging: () => true })
  app.get('/echo', { websocket: true }, echo)
  const { socket } = await connect(await start(app), '/echo')
  socket.close()
  await closed(socket)
  await app.close()
  expect(log.lines.filter(({ msg }) => msg === 'WebSocket closed')).toEqual([])
})

test('a closed connection has the request id under the name that the application chose', async () => {
  const log = keepLog()
  const app = await makeApp({ logger: log.options, requestIdLogLabel: 'trace', genReqId: () => 'the-id' })
  app.get('/echo', { websocket: true }, echo)
  const { socket } = await connect(await start(app), '/echo?token=secret')
  socket.close(4000)
  const line = await log.line(({ msg }) => msg === 'WebSocket closed')
  expect(line).toMatchObject({ trace: 'the-id', code: 4000, path: '/echo' })
})
