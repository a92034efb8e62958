import { accepted, connectClient, handshake, headArrived, refused, sendRaw, signal } from '@oneport/test-kit'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isWebSocketRequest } from '../src/index.ts'
import { connect, echo, error, isOpen, keepLog, makeApp, start, warn } from './harness.ts'

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n\r\n`

describe('a { websocket: true } route', () => {
  test('gives its handler the socket and the Fastify request', async () => {
    const app = await makeApp()
    app.get<{ Params: { room: string }; Querystring: { name: string } }>(
      '/chat/:room',
      { websocket: true },
      (socket, request) => {
        socket.send(`${request.params.room} ${request.query.name} ${request.headers['x-client']} ${request.ip}`)
      }
    )
    const { next } = await connect(await start(app), '/chat/lobby?name=ann', [], { headers: { 'X-Client': 'test' } })
    expect(await next()).toBe('lobby ann test 127.0.0.1')
  })

  test('accepts endpoint options instead of true', async () => {
    const app = await makeApp({}, { subprotocols: ['chat.v1'] })
    app.get('/own', { websocket: { subprotocols: ['chat.v2'], requireSubprotocol: true } }, echo)
    app.get('/default', { websocket: true }, echo)
    const target = await start(app)
    expect((await connect(target, '/own', ['chat.v1', 'chat.v2'])).socket.protocol).toBe('chat.v2')
    expect((await connect(target, '/default', ['chat.v1', 'chat.v2'])).socket.protocol).toBe('chat.v1')
    expect(await refused(connectClient(target, '/own', ['chat.v1']))).toBe(400)
  })

  test('works with route(), and with a list of methods', async () => {
    const app = await makeApp()
    app.route({ method: 'GET', url: '/one', websocket: true, handler: echo })
    app.route({ method: ['GET', 'HEAD'], url: '/two', websocket: true, handler: echo })
    const target = await start(app)
    expect(await isOpen(await connect(target, '/one'))).toBe(true)
    expect(await isOpen(await connect(target, '/two'))).toBe(true)
  })

  test('stays an ordinary route with { websocket: false }', async () => {
    const app = await makeApp()
    app.get('/plain', { websocket: false }, async () => 'plain')
    expect((await sendRaw(await start(app), handshake('/plain'))).status).toBe(200)
  })

  test('does not affect other routes', async () => {
    const app = await makeApp()
    app.get('/echo', { websocket: true }, echo)
    app.get('/plain', async () => 'plain')
    app.post('/echo', async () => 'posted')
    const target = await start(app)
    expect((await sendRaw(target, get('/plain'))).rest).toBe('plain')
    const post = 'POST /echo HTTP/1.1\r\nHost: app.example\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
    expect((await sendRaw(target, post)).rest).toBe('posted')
  })
})

describe('wsHandler next to handler', () => {
  test('answers handshakes, while handler answers ordinary requests', async () => {
    const app = await makeApp()
    app.route({
      method: 'GET',
      url: '/live/:id',
      handler: async (request) => `page ${(request.params as { id: string }).id}`,
      wsHandler: (socket, request) => socket.send(`live ${(request.params as { id: string }).id}`)
    })
    const target = await start(app)
    const page = await sendRaw(target, get('/live/7'))
    expect(page.status).toBe(200)
    expect(page.rest).toBe('page 7')
    expect(await (await connect(target, '/live/7')).next()).toBe('live 7')
  })

  test('uses the endpoint options of websocket', async () => {
    const app = await makeApp()
    app.route({
      method: 'GET',
      url: '/live',
      websocket: { subprotocols: ['chat.v2'] },
      handler: async () => 'page',
      wsHandler: echo
    })
    const target = await start(app)
    expect((await connect(target, '/live', ['chat.v2'])).socket.protocol).toBe('chat.v2')
    expect((await sendRaw(target, get('/live'))).rest).toBe('page')
  })

  test('works on a route with several methods', async () => {
    const app = await makeApp()
    app.route({ method: ['GET', 'POST'], url: '/live', handler: async ({ method }) => method, wsHandler: echo })
    const target = await start(app)
    expect(await isOpen(await connect(target, '/live'))).toBe(true)
    const post = await app.inject({ method: 'POST', url: '/live', body: {} })
    expect(post.body).toBe('POST')
  })

  test('is not called for a malformed handshake, nor is handler', async () => {
    const app = await makeApp()
    const handler = jest.fn(async () => 'page')
    app.route({ method: 'GET', url: '/live', handler, wsHandler: echo })
    const response = await sendRaw(await start(app), handshake('/live', { 'Sec-WebSocket-Key': 'short' }))
    expect(response.status).toBe(400)
    expect(handler).not.toHaveBeenCalled()
  })
})

describe('reply.acceptWebSocket()', () => {
  type Route = (request: FastifyRequest, reply: FastifyReply) => unknown
  const options = { maxPayloadBytes: 100 }
  const routes: [string, Route][] = [
    ['returned from a sync route', (_request, reply) => reply.acceptWebSocket(echo)],
    ['returned from a sync route, with options', (_request, reply) => reply.acceptWebSocket(options, echo)],
    [
      'not returned from a sync route',
      (_request, reply) => {
        void reply.acceptWebSocket(options, echo)
      }
    ],
    ['returned from an async route', async (_request, reply) => reply.acceptWebSocket(options, echo)],
    [
      'returned from an async route that waits first',
      async (_request, reply) => {
        await new Promise(setImmediate)
        return reply.acceptWebSocket(echo)
      }
    ],
    [
      'awaited in an async route',
      async (_request, reply) => {
        await reply.acceptWebSocket(options, echo)
      }
    ],
    [
      'not awaited in an async route',
      async (_request, reply) => {
        void reply.acceptWebSocket(options, echo)
      }
    ],
    [
      'in an async route that returns the reply',
      async (_request, reply) => {
        void reply.acceptWebSocket(options, echo)
        return reply
      }
    ]
  ]

  test.each(routes)('accepts, %s', async (_how, route) => {
    const log = keepLog()
    const app = await makeApp({ logger: log.options })
    app.get('/echo', route)
    const client = await connect(await start(app), '/echo')
    expect(await isOpen(client)).toBe(true)
    expect(log.lines.filter(({ level }) => level >= warn)).toEqual([])
  })

  const awaited = routes.filter(([how]) => how !== 'not awaited in an async route')
  test.each(awaited)('accepts after an onSend hook that waits, %s', async (_how, route) => {
    const log = keepLog()
    const app = await makeApp({ logger: log.options })
    app.addHook('onSend', async () => {
      await new Promise(setImmediate)
    })
    app.get('/echo', route)
    const client = await connect(await start(app), '/echo')
    expect(await isOpen(client)).toBe(true)
    expect(log.lines.filter(({ level }) => level >= warn)).toEqual([])
  })

  // Fastify sends a reply for an async route that returns nothing. With such a hook, reply.send('x') without `return`
  // gets the same warning: https://fastify.dev/docs/latest/Reference/Routes/#async-await
  test('not awaited in an async route with an onSend hook that waits keeps its connection, and Fastify warns', async () => {
    const log = keepLog()
    const app = await makeApp({ logger: log.options })
    app.addHook('onSend', async () => {
      await new Promise(setImmediate)
    })
    app.get('/echo', async (_request, reply) => {
      void reply.acceptWebSocket(echo)
    })
    const client = await connect(await start(app), '/echo')
    await log.line(({ level, msg }) => level === warn && msg?.includes('did you forget to "return reply"') === true)
    expect(await isOpen(client)).toBe(true)
  })

  test('accepts options of its own', async () => {
    const app = await makeApp({}, { subprotocols: ['chat.v1'] })
    app.get('/own', (_request, reply) => reply.acceptWebSocket({ subprotocols: ['chat.v2'] }, echo))
    app.get('/default', (_request, reply) => reply.acceptWebSocket(echo))
    const target = await start(app)
    expect((await connect(target, '/own', ['chat.v1', 'chat.v2'])).socket.protocol).toBe('chat.v2')
    expect((await connect(target, '/default', ['chat.v1', 'chat.v2'])).socket.protocol).toBe('chat.v1')
  })

  test.each(routes)('refuses with one complete answer, %s', async (_how, route) => {
    const log = keepLog()
    const app = await makeApp({ logger: log.options }, { onRefused: () => {} })
    app.get('/echo', route)
    const response = await sendRaw(await start(app), handshake('/echo', { Origin: 'https://evil.example' }))
    expect(response.status).toBe(403)
    expect(JSON.parse(response.rest)).toMatchObject({ code: 'HANDSHAKE_ORIGIN', statusCode: 403 })
    expect(log.lines.filter(({ level }) => level >= warn)).toEqual([])
  })

  test('answers a plain GET of its route with 426', async () => {
    const app = await makeApp()
    app.get('/echo', (_request, reply) => reply.acceptWebSocket(echo))
    const response = await app.inject('/echo')
    expect([response.statusCode, response.headers.upgrade]).toEqual([426, 'websocket'])
  })

  test('answers a plain GET with 426 and closes the connection if the client asks for that', async () => {
    const app = await makeApp()
    app.get('/echo', (_request, reply) => reply.acceptWebSocket(echo))
    const response = await sendRaw(await start(app), get('/echo'), headArrived)
    expect(response.status).toBe(426)
    expect(response.fields.get('connection')).toEqual(['close, Upgrade'])
  })

  test('leaves the route free to answer HTTP first', async () => {
    const app = await makeApp()
    app.get<{ Params: { room: string } }>('/chat/:room', async (request, reply) => {
      if (request.params.room === 'private') return reply.code(403).send({ why: 'members only' })
      if (request.params.room === 'old') return reply.redirect('/chat/new')
      return reply.acceptWebSocket(echo)
    })
    app.get('/sync', (_request, reply) => {
      reply.code(403).send('no')
    })
    const target = await start(app)
    const response = await sendRaw(target, handshake('/chat/private'))
    expect(response.status).toBe(403)
    expect(response.fields.get('connection')).toEqual(['close'])
    expect(JSON.parse(response.rest)).toEqual({ why: 'members only' })
    const redirect = await sendRaw(target, handshake('/chat/old'))
    expect([redirect.status, redirect.fields.get('location')]).toEqual([302, ['/chat/new']])
    expect((await sendRaw(target, handshake('/sync'))).status).toBe(403)
    expect(await isOpen(await connect(target, '/chat/lobby'))).toBe(true)
  })

  test('after an answer changes nothing and is logged', async () => {
    const log = keepLog()
    const app = await makeApp({ logger: log.options })
    const settled = signal()
    app.get('/echo', async (_request, reply) => {
      reply.code(403).send('no')
      await reply.acceptWebSocket(echo)
      settled.give()
    })
    const response = await sendRaw(await start(app), handshake('/echo'))
    await settled.given
    expect([response.status, response.rest]).toEqual([403, 'no'])
    expect(log.lines.filter(({ level }) => level >= warn)).toHaveLength(1)
    expect(app.websockets.connections.size).toBe(0)
  })

  test('called twice does not affect the first connection', async () => {
    const log = keepLog()
    const app = await makeApp({ logger: log.options })
    const settled = signal()
    app.get('/echo', async (_request, reply) => {
      await Promise.all([reply.acceptWebSocket(echo), reply.acceptWebSocket(echo)])
      settled.give()
    })
    const client = await connect(await start(app), '/echo')
    await settled.given
    expect(await isOpen(client)).toBe(true)
    expect(app.websockets.connections.size).toBe(1)
    expect(log.lines.filter(({ level }) => level >= error)).toEqual([])
  })

  test('without a handler gives a 500 that names the mistake in the log', async () => {
    const log = keepLog()
    const app = await makeApp({ logger: log.options })
    app.get('/echo', (_request, reply) => reply.acceptWebSocket(undefined as unknown as () => void))
    expect((await sendRaw(await start(app), handshake('/echo'))).status).toBe(500)
    const { err } = await log.line(({ level }) => level === error)
    expect(err?.message).toBe('acceptWebSocket: expected a handler (socket, req) => …; got undefined')
  })

  test('resolves once the handler has the socket', async () => {
    const order: string[] = []
    const done = signal()
    const app = await makeApp()
    app.get('/echo', async (_request, reply) => {
      await reply.acceptWebSocket(() => order.push('handler'))
      order.push('resolved')
      done.give()
    })
    const response = await sendRaw(await start(app), handshake('/echo'), headArrived)
    await done.given
    expect(response.fields.get('sec-websocket-accept')).toEqual([accepted])
    expect(order).toEqual(['handler', 'resolved'])
  })
})

test('isWebSocketRequest() tells a handshake from a page at the same path, in hooks and routes', async () => {
  const app = await makeApp()
  const seen: boolean[] = []
  app.addHook('onRequest', async ({ raw }) => void seen.push(isWebSocketRequest(raw)))
  app.get('/chat', async ({ raw }, reply) => (isWebSocketRequest(raw) ? reply.acceptWebSocket(echo) : 'page'))
  const target = await start(app)
  expect((await sendRaw(target, get('/chat'))).rest).toBe('page')
  expect(await isOpen(await connect(target, '/chat'))).toBe(true)
  expect(seen).toEqual([false, true])
})
