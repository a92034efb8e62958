import { once } from 'node:events'
import {
  type ClientHttp2Session,
  Http2ServerRequest,
  type Http2ServerResponse,
  type IncomingHttpHeaders
} from 'node:http2'
import { bodyOf, certificate, closed, sendConnect, signal, webSocketOn } from '@oneport/test-kit'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { type WebSocket, type WsPluginOptions, wsPlugin } from '../src/index.ts'
import { connect, echo, isCompleted, isOpen, keepLog, makeApp, openHttp2, owned, start, warn } from './harness.ts'

/** The next message, as text. */
const message = async (socket: WebSocket): Promise<string> => String((await once(socket, 'message'))[0])

/** The answer to an ordinary request. */
async function get(session: ClientHttp2Session, path: string) {
  const stream = session.request({ ':path': path })
  const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders & { ':status': number }]
  return { status: headers[':status'], headers, body: await bodyOf({ stream }) }
}

describe.each([
  ['http2: true', false],
  ['http2: true and https.allowHTTP1', true]
])('with %s', (_name, tls) => {
  const make = async (options: FastifyServerOptions = {}, pluginOptions: WsPluginOptions = {}) => {
    const https = tls && { https: { ...(await certificate()), allowHTTP1: true } }
    return makeApp({ http2: true, ...https, ...options } as FastifyServerOptions, pluginOptions)
  }
  const session = async (app: FastifyInstance) => openHttp2({ ...(await start(app)), tls })

  test('hooks run in their usual order, then the handler, then onResponse', async () => {
    const order: string[] = []
    const over = signal()
    const app = await make()
    app.addHook('onRequest', async ({ method }) => void order.push(`onRequest ${method}`))
    app.addHook('preParsing', async () => void order.push('preParsing'))
    app.addHook('preValidation', async () => void order.push('preValidation'))
    app.addHook('preHandler', async () => void order.push('preHandler'))
    app.addHook('onSend', async (_request, { statusCode }) => void order.push(`onSend ${statusCode}`))
    app.addHook('onResponse', async (_request, { statusCode }) => {
      order.push(`onResponse ${statusCode}`)
      over.give()
    })
    app.get('/echo', { websocket: true }, (socket) => {
      order.push('handler')
      echo(socket)
    })
    const { stream } = await sendConnect(await session(app), '/echo')
    await over.given
    const socket = webSocketOn(stream)
    socket.send('still here')
    expect(await message(socket)).toBe('still here')
    await app.close()
    expect(order).toEqual([
      'onRequest GET',
      'preParsing',
      'preValidation',
      'preHandler',
      'onSend 101',
      'handler',
      // The status as it was sent.
      'onResponse 200'
    ])
  })

  test('an accepted handshake is logged as one completed request, then one closed WebSocket', async () => {
    const log = keepLog()
    const app = await make({ logger: log.options, genReqId: () => 'the-id' })
    app.get('/echo', { websocket: true }, echo)
    const socket = webSocketOn((await sendConnect(await session(app), '/echo')).stream)
    await log.line(isCompleted)
    socket.close(4000)
    await log.line(({ msg }) => msg === 'WebSocket closed')
    const ofRequest = log.lines.filter(({ reqId }) => reqId === 'the-id')
    expect(ofRequest).toMatchObject([
      { msg: 'incoming request', req: { method: 'GET', url: '/echo' } },
      { msg: 'request completed', res: { statusCode: 200 }, responseTime: expect.any(Number) },
      { msg: 'WebSocket closed', code: 4000, path: '/echo', initiator: 'client' }
    ])
    expect(log.lines.filter(({ level }) => level >= warn)).toEqual([])
  })

  test('a refusal is logged as one completed request with its status', async () => {
    const log = keepLog()
    const app = await make({ logger: log.options })
    app.get('/echo', { websocket: true }, echo)
    const client = await session(app)
    const answer = await sendConnect(client, '/echo', { origin: 'https://evil.example' })
    expect(answer.status).toBe(403)
    expect(JSON.parse(await bodyOf(answer))).toMatchObject({ statusCode: 403, code: 'HANDSHAKE_ORIGIN' })
    expect(await log.line(isCompleted)).toMatchObject({ res: { statusCode: 403 } })
    client.destroy()
    await app.close()
    expect(log.lines.filter(isCompleted)).toHaveLength(1)
    expect(log.lines.filter(({ level }) => level >= warn)).toMatchObject([{ code: 'HANDSHAKE_ORIGIN' }])
  })

  test('an onRequest hook refuses with 401, a body and fields of its own; onResponse runs once', async () => {
    const app = await make()
    const statuses: number[] = []
    const handler = jest.fn()
    app.addHook('onResponse', async (_request, reply) => void statuses.push(reply.statusCode))
    app.addHook('onRequest', async (_request, reply) =>
      reply.code(401).header('WWW-Authenticate', 'Bearer realm="chat"').send({ error: 'Log in first' })
    )
    app.get('/echo', { websocket: true }, handler)
    const client = await session(app)
    const answer = await sendConnect(client, '/echo')
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, 'Bearer realm="chat"'])
    expect(JSON.parse(await bodyOf(answer))).toEqual({ error: 'Log in first' })
    client.destroy()
    await app.close()
    expect(statuses).toEqual([401])
    expect(handler).not.toHaveBeenCalled()
  })

  test('a hook that throws is answered by the error handler', async () => {
    const app = await make()
    app.setErrorHandler((error: Error, _request, reply) => reply.code(418).send({ caught: error.message }))
    app.get('/echo', { websocket: true, preHandler: () => Promise.reject(new Error('broken')) }, echo)
    const answer = await sendConnect(await session(app), '/echo')
    expect([answer.status, JSON.parse(await bodyOf(answer))]).toEqual([418, { caught: 'broken' }])
  })

  test('reply.header(), cookies included, and onSend set fields of the 200', async () => {
    const app = await make()
    app.addHook('onRequest', async (_request, reply) => void reply.header('Set-Cookie', ['a=1', 'b=2']))
    app.addHook('onSend', async (_request, reply) => void reply.header('X-From', 'onSend'))
    app.get('/echo', (_request, reply) => reply.header('X-Route', 'yes').acceptWebSocket(echo))
    const { status, headers } = await sendConnect(await session(app), '/echo')
    expect(status).toBe(200)
    expect(headers).toMatchObject({ 'set-cookie': ['a=1', 'b=2'], 'x-from': 'onSend', 'x-route': 'yes' })
  })

  test('onSend can give the 200 neither a body nor hop-by-hop fields', async () => {
    const app = await make()
    app.addHook('onSend', async (_request, reply) => {
      reply.headers({ 'Content-Length': '4', 'Transfer-Encoding': 'chunked', Upgrade: 'h2c' })
      return 'body'
    })
    app.get('/echo', { websocket: true }, (socket) => socket.close(4001, 'bye'))
    const { status, headers, stream } = await sendConnect(await session(app), '/echo')
    expect([status, Object.keys(headers)]).toEqual([200, [':status', 'date']])
    expect(await closed(webSocketOn(stream))).toEqual({ code: 4001, reason: 'bye' })
  })

  test('parameters and a schema apply to handshakes; invalid ones get 400', async () => {
    const app = await make()
    const schema = { querystring: { type: 'object', properties: { limit: { type: 'integer' } }, required: ['limit'] } }
    app.get('/room/:name', { websocket: true, schema }, (socket, { params, query }) =>
      socket.send(JSON.stringify({ params, query }))
    )
    const client = await session(app)
    const { stream } = await sendConnect(client, '/room/tea%20room?limit=3')
    expect(JSON.parse(await message(webSocketOn(stream)))).toEqual({
      params: { name: 'tea room' },
      query: { limit: 3 }
    })
    const refusal = await sendConnect(client, '/room/tea')
    expect(refusal.status).toBe(400)
    expect(JSON.parse(await bodyOf(refusal))).toMatchObject({ code: 'FST_ERR_VALIDATION' })
  })

  test("an unknown path gets the application's 404", async () => {
    const app = await make()
    app.setNotFoundHandler(({ method, url }, reply) => reply.code(404).send(`nothing at ${method} ${url}`))
    const answer = await sendConnect(await session(app), '/unknown')
    expect([answer.status, await bodyOf(answer)]).toEqual([404, 'nothing at GET /unknown'])
  })

  test('wsHandler answers handshakes, and the handler next to it pages, on one session', async () => {
    const app = await make()
    app.route({ method: 'GET', url: '/live', handler: async () => 'page', wsHandler: (socket) => socket.send('live') })
    const client = await session(app)
    expect(await get(client, '/live')).toMatchObject({ status: 200, body: 'page' })
    expect(await message(webSocketOn((await sendConnect(client, '/live')).stream))).toBe('live')
  })

  test('a GET at an endpoint is 405 with Allow: CONNECT', async () => {
    const app = await make()
    app.get('/echo', { websocket: true }, echo)
    const { status, headers, body } = await get(await session(app), '/echo')
    expect([status, headers.allow]).toEqual([405, 'CONNECT'])
    expect(JSON.parse(body)).toMatchObject({ statusCode: 405, code: 'HANDSHAKE_UPGRADE_REQUIRED' })
  })

  test('app.close() ends connections with 1001, and finishes with their sessions open', async () => {
    const app = await make()
    app.get('/echo', { websocket: true }, echo)
    app.get('/plain', async () => 'plain')
    const target = { ...(await start(app)), tls }
    const clients = [await openHttp2(target), await openHttp2(target)]
    const ends = clients.map(async (client) => {
      expect((await get(client, '/plain')).body).toBe('plain')
      const sockets = [await sendConnect(client, '/echo'), await sendConnect(client, '/echo')]
      return sockets.map(({ stream }) => closed(webSocketOn(stream)))
    })
    const closing = (await Promise.all(ends)).flat()
    await app.close()
    expect((await Promise.all(closing)).map(({ code }) => code)).toEqual([1001, 1001, 1001, 1001])
    expect(app.server.listening).toBe(false)
  })

  // Without the option, Fastify leaves idle sessions to Node, which closes them from version 24 on.
  test('app.close() with forceCloseConnections finishes with idle sessions too', async () => {
    const app = await make({ forceCloseConnections: true })
    app.get('/echo', { websocket: true }, echo)
    const client = await session(app)
    const { stream } = await sendConnect(client, '/echo')
    const socket = webSocketOn(stream)
    const end = closed(socket)
    socket.close(1000)
    await end
    await app.close()
    expect(app.server.listening).toBe(false)
  })

  test('a connection outlives http2SessionTimeout', async () => {
    const app = await make({ http2SessionTimeout: 500 } as FastifyServerOptions)
    app.get('/echo', { websocket: true }, echo)
    const client = await session(app)
    const goaway = once(client, 'goaway')
    const socket = webSocketOn((await sendConnect(client, '/echo')).stream)
    await goaway
    socket.send('still here')
    expect(await message(socket)).toBe('still here')
  })
})

test('HTTP/1.1 and HTTP/2 clients reach one endpoint on one port', async () => {
  const https = { ...(await certificate()), allowHTTP1: true }
  const app = await makeApp({ http2: true, https } as FastifyServerOptions)
  const versions: string[] = []
  app.get('/echo', { websocket: true }, (socket, { raw }) => {
    versions.push(raw.httpVersion)
    echo(socket)
  })
  const target = { ...(await start(app)), tls: true }
  expect(await isOpen(await connect(target, '/echo'))).toBe(true)
  const socket = webSocketOn((await sendConnect(await openHttp2(target), '/echo')).stream)
  socket.send('by HTTP/2')
  expect(await message(socket)).toBe('by HTTP/2')
  expect(versions).toEqual(['1.1', '2.0'])
  expect(app.websockets.connections.size).toBe(2)
})

test('request.raw and reply.raw have the types of HTTP/2, at run time too', async () => {
  const app = owned(Fastify({ http2: true }))
  await app.register(wsPlugin)
  const seen: unknown[] = []
  app.get<{ Params: { room: string } }>('/shorthand/:room', { websocket: true }, (socket, request) => {
    const raw: Http2ServerRequest = request.raw
    seen.push(raw instanceof Http2ServerRequest, raw.stream.id, request.params.room, raw.headers[':protocol'])
    socket.close()
  })
  app.route({
    method: 'GET',
    url: '/route',
    handler: (request, reply) => {
      const { stream }: Http2ServerResponse = reply.raw
      seen.push(stream.id, request.raw.stream.id)
      return reply.acceptWebSocket((socket) => socket.close())
    }
  })
  const client = await openHttp2(await start(app))
  const ids = []
  for (const path of ['/shorthand/tea', '/route']) {
    const { stream } = await sendConnect(client, path)
    await closed(webSocketOn(stream))
    ids.push(stream.id)
  }
  expect(seen).toEqual([true, ids[0], 'tea', 'websocket', ids[1], ids[1]])
})
