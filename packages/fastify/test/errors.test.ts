import { handshake, sendRaw } from '@oneport/test-kit'
import type { FastifyError } from 'fastify'
import { HandshakeError } from '../src/index.ts'
import { connect, echo, isOpen, makeApp, scoped, start } from './harness.ts'

const foreign = { Origin: 'https://evil.example' }
const quiet = { onRefused: () => {} }

describe('setErrorHandler()', () => {
  test('answers a HandshakeError in its own way', async () => {
    const app = await makeApp({}, quiet)
    app.setErrorHandler((error: FastifyError, _request, reply) => {
      if (!(error instanceof HandshakeError)) return reply.code(500).send('other')
      return reply.code(error.status).headers(error.headers).type('application/problem+json').send({ type: error.code })
    })
    app.get('/echo', { websocket: true }, echo)
    const target = await start(app)
    const response = await sendRaw(target, handshake('/echo', foreign))
    expect(response.status).toBe(403)
    expect(response.fields.get('content-type')?.[0]).toMatch(/^application\/problem\+json/)
    expect(JSON.parse(response.rest)).toEqual({ type: 'HANDSHAKE_ORIGIN' })
    const old = await sendRaw(target, handshake('/echo', { 'Sec-WebSocket-Version': '8' }))
    expect([old.status, old.fields.get('sec-websocket-version')]).toEqual([426, ['13']])
  })

  test('may answer later, even if the route does not return its acceptance', async () => {
    const app = await makeApp({}, quiet)
    app.setErrorHandler(async (error: FastifyError, _request, reply) => {
      await new Promise(setImmediate)
      return reply.code(418).send(error.code)
    })
    app.get('/websocket', { websocket: true }, echo)
    app.get('/async', async (_request, reply) => reply.acceptWebSocket(echo))
    app.get('/loose', (_request, reply) => {
      void reply.acceptWebSocket(echo)
    })
    const target = await start(app)
    for (const path of ['/websocket', '/async', '/loose']) {
      const response = await sendRaw(target, handshake(path, foreign))
      expect([response.status, response.rest]).toEqual([418, 'HANDSHAKE_ORIGIN'])
    }
  })

  test('of a scope answers only the refusals of that scope', async () => {
    const app = await makeApp({}, quiet)
    app.setErrorHandler((_error, _request, reply) => reply.code(403).send('root'))
    await app.register(
      scoped(async (scope) => {
        scope.setErrorHandler((_error, _request, reply) => reply.code(403).send('scope'))
        scope.get('/inner', { websocket: true }, echo)
      })
    )
    app.get('/outer', { websocket: true }, echo)
    const target = await start(app)
    expect((await sendRaw(target, handshake('/inner', foreign))).rest).toBe('scope')
    expect((await sendRaw(target, handshake('/outer', foreign))).rest).toBe('root')
  })

  test('of a route answers the refusals of that route', async () => {
    const app = await makeApp({}, quiet)
    const errorHandler = jest.fn((_error, _request, reply) => reply.code(403).send('route'))
    app.get('/echo', { websocket: true, errorHandler }, echo)
    expect((await sendRaw(await start(app), handshake('/echo', foreign))).rest).toBe('route')
  })

  test('that throws passes the refusal on to the outer handler', async () => {
    const app = await makeApp({}, quiet)
    await app.register(
      scoped(async (scope) => {
        scope.setErrorHandler((error) => {
          throw error
        })
        scope.get('/echo', { websocket: true }, echo)
      })
    )
    const response = await sendRaw(await start(app), handshake('/echo', foreign))
    expect([response.status, JSON.parse(response.rest).code]).toEqual([403, 'HANDSHAKE_ORIGIN'])
  })

  test('does not see errors after the 101', async () => {
    const faults: string[] = []
    const app = await makeApp({}, { onError: (fault) => faults.push((fault as Error).message) })
    const errorHandler = jest.fn()
    app.setErrorHandler(errorHandler)
    app.get('/echo', { websocket: true }, async () => {
      throw new Error('broken')
    })
    const response = await sendRaw(await start(app), handshake('/echo'), (text) => text.includes('\x88'))
    expect(response.rest).toBe('\x88\x02\x03\xf3')
    expect(faults).toEqual(['broken'])
    expect(errorHandler).not.toHaveBeenCalled()
  })
})

describe('a refusal without an error handler', () => {
  test('is Fastify’s own error as JSON, with the header fields of the refusal', async () => {
    const app = await makeApp({}, quiet)
    app.get('/echo', { websocket: true }, echo)
    const response = await sendRaw(await start(app), handshake('/echo', { 'Sec-WebSocket-Version': '8' }))
    expect(response.fields.get('sec-websocket-version')).toEqual(['13'])
    expect(response.fields.get('content-type')).toEqual(['application/json; charset=utf-8'])
    expect(JSON.parse(response.rest)).toEqual({
      statusCode: 426,
      code: 'HANDSHAKE_VERSION',
      error: 'Upgrade Required',
      message: expect.stringContaining('"8"')
    })
  })

  test('does not show details meant for the operator', async () => {
    const app = await makeApp({}, quiet)
    app.get('/echo', { websocket: { allowedOrigins: ['https://secret.internal'] } }, echo)
    const response = await sendRaw(await start(app), handshake('/echo', foreign))
    expect(response.status).toBe(403)
    expect(response.text).not.toMatch(/secret\.internal|app\.example/)
  })
})

describe('setNotFoundHandler()', () => {
  test('answers a handshake at an unknown path', async () => {
    const app = await makeApp()
    app.setNotFoundHandler((request, reply) => reply.code(404).send({ nothingAt: request.url }))
    await app.register(
      scoped(async (scope) => {
        scope.setNotFoundHandler((_request, reply) => reply.code(404).send('scope'))
      }),
      { prefix: '/scope' }
    )
    const target = await start(app)
    const response = await sendRaw(target, handshake('/unknown'))
    expect(response.status).toBe(404)
    expect(response.fields.get('connection')).toEqual(['close'])
    expect(JSON.parse(response.rest)).toEqual({ nothingAt: '/unknown' })
    expect((await sendRaw(target, handshake('/scope/unknown'))).rest).toBe('scope')
  })

  test('may accept the handshake: an endpoint at every path', async () => {
    const app = await makeApp()
    app.setNotFoundHandler((request, reply) => reply.acceptWebSocket((socket) => socket.send(request.url)))
    expect(await (await connect(await start(app), '/any/path')).next()).toBe('/any/path')
  })

  test('answers a route that calls reply.callNotFound()', async () => {
    const app = await makeApp()
    app.setNotFoundHandler((_request, reply) => reply.code(404).send('nothing here'))
    app.get('/room', (_request, reply) => reply.callNotFound())
    const response = await sendRaw(await start(app), handshake('/room'))
    expect([response.status, response.rest]).toEqual([404, 'nothing here'])
  })
})

describe('a schema', () => {
  const schema = {
    params: { type: 'object', properties: { id: { type: 'integer' } } },
    querystring: { type: 'object', properties: { token: { type: 'string', minLength: 4 } }, required: ['token'] },
    headers: { type: 'object', properties: { 'x-client': { type: 'string' } }, required: ['x-client'] }
  } as const
  const good = { 'X-Client': 'test' }

  const rejected: [string, string, Record<string, string>, RegExp][] = [
    ['params', '/items/one?token=abcd', good, /params\/id must be integer/],
    ['querystring', '/items/1', good, /querystring must have required property 'token'/],
    ['querystring', '/items/1?token=abc', good, /querystring\/token must NOT have fewer than 4 characters/],
    ['headers', '/items/1?token=abcd', {}, /headers must have required property 'x-client'/]
  ]

  test.each(rejected)('of %s refuses %s with 400 before any 101', async (_what, path, fields, message) => {
    const app = await makeApp()
    const handler = jest.fn()
    app.get('/items/:id', { websocket: true, schema }, handler)
    const response = await sendRaw(await start(app), handshake(path, fields))
    expect(response.status).toBe(400)
    expect(JSON.parse(response.rest)).toMatchObject({
      code: 'FST_ERR_VALIDATION',
      message: expect.stringMatching(message)
    })
    expect(handler).not.toHaveBeenCalled()
  })

  test('converts values for the handler', async () => {
    const app = await makeApp()
    app.get('/items/:id', { websocket: true, schema }, (socket, request) => {
      socket.send(JSON.stringify([request.params, request.query]))
    })
    const client = await connect(await start(app), '/items/7?token=abcd', [], { headers: good })
    expect(JSON.parse(await client.next())).toEqual([{ id: 7 }, { token: 'abcd' }])
  })

  test('of a response does not prevent a 101', async () => {
    const app = await makeApp()
    const response = { 200: { type: 'object', properties: { a: { type: 'string' } } }, 403: { type: 'string' } }
    app.get('/echo', { schema: { response } }, (_request, reply) => reply.acceptWebSocket(echo))
    expect(await isOpen(await connect(await start(app), '/echo'))).toBe(true)
  })

  test('with attachValidation leaves the decision to the route', async () => {
    const app = await makeApp()
    app.get('/items/:id', { schema, attachValidation: true }, (request, reply) =>
      request.validationError ? reply.code(422).send('no') : reply.acceptWebSocket(echo)
    )
    expect((await sendRaw(await start(app), handshake('/items/1'))).status).toBe(422)
  })
})

describe('an option function', () => {
  const broken = (thrown: unknown) => () => {
    throw thrown
  }

  test.each([
    ['an Error', new Error('broken')],
    ['a string', 'broken'],
    ['an object', { broken: true }],
    ['nothing', undefined]
  ])('that throws %s gives a 500, like a route that does', async (_what, thrown) => {
    const app = await makeApp()
    app.get('/throws', async () => {
      throw thrown
    })
    app.get('/echo', { websocket: { subprotocols: broken(thrown) } }, echo)
    const target = await start(app)
    expect((await app.inject('/throws')).statusCode).toBe(500)
    expect((await sendRaw(target, handshake('/echo'))).status).toBe(500)
  })
})

describe('regression: an option callback that fails ended the process', () => {
  const failures: [how: string, fail: () => unknown][] = [
    [
      'throws',
      () => {
        throw new Error('the log is full')
      }
    ],
    ['rejects', async () => Promise.reject(new Error('the log is full'))],
    [
      'throws what cannot be printed',
      () => {
        throw Object.create(null)
      }
    ]
  ]

  test.each(failures)('an onRefused that %s', async (_how, fail) => {
    const faults: unknown[] = []
    const app = await makeApp({}, { onRefused: fail, onError: (error) => void faults.push(error) })
    app.get('/echo', { websocket: true }, echo)
    const target = await start(app)
    const { status } = await sendRaw(target, handshake('/echo', { Origin: 'https://evil.example' }))
    expect(status).toBe(403)
    await new Promise(setImmediate)
    expect(faults).toHaveLength(1)
  })
})
