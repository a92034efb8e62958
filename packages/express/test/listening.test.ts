import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { acceptWebSocket as acceptWithoutFramework, attach, attachmentOf } from '@oneport/core'
import { certificate, closed, handshake, headArrived, openSession, sendRaw, takePrinted } from '@oneport/test-kit'
import type { ErrorRequestHandler, Express } from 'express'
import { Server as SocketIo } from 'socket.io'
import { io as connectSocketIo } from 'socket.io-client'
import request from 'supertest'
import { acceptWebSocket, type HandshakeError, type WsUpgrade, wsUpgrade } from '../src/index.ts'
import { ask, close, echo, useServers } from './servers.ts'
import { versions } from './versions.ts'

/** Answers errors as JSON, so that tests can read the code. */
const asJson: ErrorRequestHandler = (error: HandshakeError, _req, res, _next) => {
  res.status(error.status).set(error.headers).json({ code: error.code })
}

describe.each(versions)('A server of %s', (_name, express) => {
  const { serve, connect, open } = useServers()

  function makeApp(websockets = wsUpgrade({ onRefused: () => {} })): Express {
    const app = express()
    app.use(websockets)
    app.get('/page', (_req, res) => void res.send('page'))
    app.get('/chat', (req, res) => acceptWebSocket(req, res, { subprotocols: ['chat'] }, echo))
    app.use(asJson)
    return app
  }

  const listeners: [string, (app: Express) => Promise<Express | http.Server>][] = [
    ['app.listen()', async (app) => app],
    ['http.createServer(app)', async (app) => http.createServer(app)],
    ['https.createServer(…, app)', async (app) => https.createServer(await certificate(), app)]
  ]

  test.each(listeners)('accepts a handshake as its very first bytes with %s', async (_what, make) => {
    const target = await serve(await make(makeApp()))
    const response = await sendRaw(target, handshake('/chat'), headArrived)
    expect(response.status).toBe(101)
  })

  test.each(listeners)('serves HTTP and WebSockets together with %s', async (_what, make) => {
    const target = await serve(await make(makeApp()))
    const client = await connect(target, '/chat', ['chat'])
    const page = await sendRaw(target, 'GET /page HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n')
    expect(page.rest).toBe('page')
    expect(await ask(client, 'hello')).toBe('hello')
    expect(client.socket.protocol).toBe('chat')
  })

  test('accepts handshakes if it was created before the application had its wsUpgrade()', async () => {
    const app = express()
    const target = await serve(http.createServer(app))
    app.use(wsUpgrade())
    app.get('/chat', (req, res) => acceptWebSocket(req, res, echo))
    expect(await ask(await connect(target, '/chat'), 'hello')).toBe('hello')
  })

  test('accepts a handshake on a connection that was open before wsUpgrade() was mounted only if it is attached', async () => {
    const app = express()
    const target = await serve(app)
    const raw = await open(target)
    raw.write('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n')
    await new Promise((resolve) => raw.once('data', resolve))
    const websockets = wsUpgrade()
    app.use(websockets)
    app.get('/chat', (req, res) => acceptWebSocket(req, res, echo))
    websockets.attach(target.server)
    raw.write(handshake('/chat'))
    const [answer] = await new Promise<Buffer[]>((resolve) => raw.once('data', (chunk: Buffer) => resolve([chunk])))
    expect(String(answer)).toMatch(/^HTTP\/1\.1 101 /)
  })

  describe('under supertest', () => {
    const opening = {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Key': 'x3JJHMbDL1EzLkh9GBhXDw==',
      'Sec-WebSocket-Version': '13'
    }

    test('answers ordinary routes', async () => {
      const app = makeApp()
      await request(app).get('/page').expect(200, 'page')
      await request(app).get('/nowhere').expect(404)
    })

    test('answers a plain GET at an endpoint with 426 and the field Upgrade', async () => {
      await request(makeApp())
        .get('/chat')
        .expect(426, { code: 'HANDSHAKE_UPGRADE_REQUIRED' })
        .expect('Upgrade', 'websocket')
    })

    test('answers a POST at an endpoint as the application does, and at one of app.all() with 405', async () => {
      const app = makeApp()
      await request(app).post('/chat').send({ a: 1 }).expect(404)
      app.all('/any', (req, res) => acceptWebSocket(req, res, echo))
      app.use(asJson)
      await request(app).post('/any').send({ a: 1 }).expect(405, { code: 'HANDSHAKE_METHOD' }).expect('Allow', 'GET')
    })

    test.each([
      ['a version', { 'Sec-WebSocket-Version': '8' }, 426, 'HANDSHAKE_VERSION'],
      ['a key', { 'Sec-WebSocket-Key': 'short' }, 400, 'HANDSHAKE_KEY'],
      ['an origin', { Origin: 'https://evil.example' }, 403, 'HANDSHAKE_ORIGIN']
    ])('shows the refusal of %s', async (_what, fields, status, code) => {
      await request(makeApp())
        .get('/chat')
        .set({ ...opening, ...fields })
        .expect(status, { code })
    })
  })

  describe('with a function around the application', () => {
    test('accepts handshakes once wsUpgrade().attach(server) has been called', async () => {
      const websockets = wsUpgrade()
      const app = makeApp(websockets)
      const server = http.createServer((req, res) => app(req, res))
      const attachment = websockets.attach(server)
      const client = await connect(await serve(server), '/chat')
      expect(await ask(client, 'hello')).toBe('hello')
      expect(websockets.connections.size).toBe(1)
      expect(websockets.connections).toEqual(attachment.connections)
    })

    test('shows handshakes to the function too', async () => {
      const websockets = wsUpgrade()
      const app = makeApp(websockets)
      const seen: (string | undefined)[] = []
      const server = http.createServer((req, res) => {
        seen.push(req.url)
        res.setHeader('X-Wrapped', 'yes')
        app(req, res)
      })
      websockets.attach(server)
      const { response } = await connect(await serve(server), '/chat')
      expect(seen).toEqual(['/chat'])
      expect(response.headers['x-wrapped']).toBe('yes')
    })

    test('answers a handshake with 503 and says on stderr what to call, while nothing is attached', async () => {
      const app = makeApp()
      const target = await serve(http.createServer((req, res) => app(req, res)))
      const response = await sendRaw(target, handshake('/chat', { Connection: 'close, Upgrade' }))
      expect(response.status).toBe(503)
      expect(JSON.parse(response.rest)).toEqual({ code: 'HANDSHAKE_NOT_ATTACHED' })
      expect(takePrinted()).toEqual([
        expect.stringMatching(/^oneport: HANDSHAKE_NOT_ATTACHED: .*wsUpgrade\(\)\.attach\(server\)/)
      ])
    })

    test('leaves ordinary requests alone, while nothing is attached', async () => {
      const app = makeApp()
      const server = http.createServer((req, res) => app(req, res))
      const warn = jest.spyOn(process, 'emitWarning').mockImplementation()
      await request(server).get('/page').expect(200, 'page')
      await request(server).get('/chat').expect(426)
      // One line per server, however many requests there are. (Each request() of supertest listens anew.)
      expect(warn.mock.calls).toEqual([
        [
          expect.stringMatching(/through another function .* call its attach\(server\)/),
          { code: 'ONEPORT_NOT_ATTACHED' }
        ]
      ])
    })

    test('shares a server with Socket.IO once it is attached by hand', async () => {
      const websockets = wsUpgrade()
      const server = http.createServer(makeApp(websockets))
      const io = new SocketIo(server)
      io.on('connection', (socket) => socket.emit('greeting', 'theirs'))
      websockets.attach(server)
      const target = await serve(server)
      const client = connectSocketIo(`http://127.0.0.1:${target.port}`, { reconnection: false })
      const [greeting] = await new Promise<unknown[]>((resolve) => {
        client.once('greeting', (...args: unknown[]) => resolve(args))
      })
      expect(greeting).toBe('theirs')
      client.disconnect()
      expect(await ask(await connect(target, '/chat'), 'hello')).toBe('hello')
      await request(server).get('/page').expect(200, 'page')
      io.disconnectSockets(true)
    })
  })

  test('says in one sentence that Express cannot use an HTTP/2 server', async () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation()
    const websockets = wsUpgrade()
    const server = http2.createServer(makeApp(websockets) as never)
    expect(() => websockets.attach(server)).toThrow(
      /^wsUpgrade: Express cannot serve node:http2, not even a plain GET;/
    )
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    const session = await openSession({ port: (server.address() as AddressInfo).port })
    expect(warn.mock.calls).toEqual([
      [expect.stringMatching(/^wsUpgrade: Express cannot serve node:http2/), { code: 'ONEPORT_HTTP2' }]
    ])
    session.destroy()
    await new Promise((resolve) => void server.close(resolve))
  })

  test('regression: a wsUpgrade() on a router said that a function around the application was the reason', async () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation()
    const [app, inner, router] = [express(), express(), express.Router()]
    router.use(wsUpgrade())
    inner.use(router)
    app.use(inner)
    await request(app).get('/page').expect(404)
    expect(warn.mock.calls).toEqual([
      [expect.stringMatching(/it is on a router, .* Put it on the application/), { code: 'ONEPORT_NOT_ATTACHED' }]
    ])
  })

  test('answers with 503 and says what to call if wsUpgrade() is used on a bare router', async () => {
    const app = express()
    const router = express.Router()
    router.use(wsUpgrade())
    router.get('/chat', (req, res) => acceptWebSocket(req, res, echo))
    app.use(router, asJson)
    const target = await serve(app)
    const response = await sendRaw(target, handshake('/chat', { Connection: 'close, Upgrade' }))
    expect(response.status).toBe(503)
    expect(JSON.parse(response.rest)).toEqual({ code: 'HANDSHAKE_NOT_ATTACHED' })
    expect(takePrinted()).toEqual([expect.stringMatching(/^oneport: HANDSHAKE_NOT_ATTACHED: .*attach\(server\)/)])
  })

  test('accepts handshakes for a bare router whose wsUpgrade() is attached by hand', async () => {
    const app = express()
    const router = express.Router()
    const websockets = wsUpgrade()
    router.use(websockets)
    router.get('/chat', (req, res) => acceptWebSocket(req, res, echo))
    app.use(router)
    const server = http.createServer(app)
    websockets.attach(server)
    expect(await ask(await connect(await serve(server), '/chat'), 'hello')).toBe('hello')
  })

  test('is attached once by several wsUpgrade() of one application, and says so when attached again', async () => {
    const app = express()
    const first = wsUpgrade()
    const second = wsUpgrade()
    app.use(first, second)
    app.use('/echo', wsUpgrade(echo))
    const target = await serve(app)
    await connect(target, '/echo')
    await connect(target, '/echo')
    expect(target.server.listenerCount('upgrade')).toBe(1)
    expect(first.connections.size).toBe(2)
    expect(second.connections).toEqual(first.connections)
    expect(() => first.attach(target.server)).toThrow('this server is already attached')
  })

  test('works with a wsUpgrade() of an application that core has already attached', async () => {
    const app = makeApp()
    const server = http.createServer(app)
    attach(server, app)
    expect(await ask(await connect(await serve(server), '/chat'), 'hello')).toBe('hello')
    expect(server.listenerCount('upgrade')).toBe(1)
  })

  test('leaves nothing behind when it is closed, fifty times in a row', async () => {
    const upgradeListeners: number[] = []
    const connections: number[] = []
    for (let turn = 0; turn < 50; turn++) {
      const websockets = wsUpgrade()
      const app = makeApp(websockets)
      const { server, ...target } = await serve(app)
      const { socket } = await connect(target, '/chat')
      const end = closed(socket)
      socket.close()
      await end
      await close(server)
      upgradeListeners.push(server.listenerCount('upgrade'))
      connections.push(websockets.connections.size)
      expect(attachmentOf(server)).toBeUndefined()
      expect(await websockets.drain()).toEqual({ closed: 0, terminated: 0 })
    }
    expect(upgradeListeners).toEqual(Array(50).fill(0))
    expect(connections).toEqual(Array(50).fill(0))
  })

  test('accepts handshakes again when it listens again', async () => {
    const websockets = wsUpgrade()
    const server = http.createServer(makeApp(websockets))
    const first = await connect(await serve(server), '/chat')
    first.socket.terminate()
    await close(server)
    expect(server.listenerCount('upgrade')).toBe(0)
    expect(await ask(await connect(await serve(server), '/chat'), 'hello')).toBe('hello')
    expect(websockets.connections.size).toBe(1)
  })

  test('lists its sockets in connections, and drops those that have closed', async () => {
    const websockets = wsUpgrade()
    const app = express()
    const ended: Promise<unknown>[] = []
    app.use(websockets)
    app.get('/chat', (req, res) => acceptWebSocket(req, res, (socket) => void ended.push(closed(socket))))
    const target = await serve(app)
    expect([...websockets.connections]).toEqual([])
    const { socket } = await connect(target, '/chat')
    await connect(target, '/chat')
    expect(websockets.connections.size).toBe(2)
    socket.close()
    await ended[0]
    expect(websockets.connections.size).toBe(1)
  })

  test("is drained together with the application's other servers", async () => {
    const websockets = wsUpgrade()
    const app = makeApp(websockets)
    const targets = [await serve(app), await serve(http.createServer(app))]
    const clients = await Promise.all(targets.map((target) => connect(target, '/chat')))
    const ends = Promise.all(clients.map(({ socket }) => closed(socket)))
    expect(websockets.connections.size).toBe(2)
    expect(await websockets.drain({ code: 1012, reason: 'restarting' })).toEqual({ closed: 2, terminated: 0 })
    expect(await ends).toEqual(Array(2).fill({ code: 1012, reason: 'restarting' }))
    for (const target of targets) {
      const response = await sendRaw(target, handshake('/chat'))
      expect(response.status).toBe(503)
      expect(response.fields.get('retry-after')).toEqual([expect.stringMatching(/^\d+$/)])
      expect(JSON.parse(response.rest)).toEqual({ code: 'HANDSHAKE_UNAVAILABLE' })
      const page = await sendRaw(target, 'GET /page HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n')
      expect(page.status).toBe(200)
    }
  })
})

describe.each(versions)('wsUpgrade() in %s', (_name, express) => {
  test.each([
    [
      'an unknown name',
      { allowedOrigin: [] },
      "wsUpgrade: unknown option 'allowedOrigin'; did you mean allowedOrigins?"
    ],
    [
      'an origin without a scheme',
      { allowedOrigins: ['app.example'] },
      'wsUpgrade: allowedOrigins: expected an origin'
    ],
    ['a payload limit of zero', { maxPayloadBytes: 0 }, 'maxPayloadBytes: expected'],
    ['a subprotocol that is not a token', { subprotocols: ['chat v1'] }, 'subprotocols: expected'],
    ['an onError that is not a function', { onError: 'log' }, 'wsUpgrade: onError: expected a function'],
    ['an option of ws that core sets', { ws: { verifyClient: () => true } }, 'ws.verifyClient: cannot be set here'],
    ['null', null, 'wsUpgrade: options: expected an object']
  ])('throws for %s, before any request', (_what, options, message) => {
    expect(() => wsUpgrade(options as object)).toThrow(TypeError)
    expect(() => wsUpgrade(options as object)).toThrow(message)
  })

  test('throws an error whose stack begins where it was called', () => {
    let stack = ''
    try {
      wsUpgrade({ maxPayload: 1 } as object)
    } catch (error) {
      stack = String((error as Error).stack)
    }
    expect(stack).toMatch(/^TypeError: wsUpgrade: .*use maxPayloadBytes\n {4}at .*listening\.test\.ts/)
  })

  test.each([
    ['connectionsOf', (all: WsUpgrade) => all.connectionsOf(7 as never), 'connectionsOf: key: expected a non-empty'],
    ['revoke', (all: WsUpgrade) => all.revoke('', 4401), 'revoke: key: expected a non-empty string'],
    ['revoke', (all: WsUpgrade) => all.revoke('ada', 1000), 'revoke: code: expected a close code'],
    ['revoke', (all: WsUpgrade) => all.revoke('ada', 4401, 7 as never), 'revoke: reason: expected a string'],
    ['attach', (all: WsUpgrade) => all.attach(undefined as never), 'attach: expected a server of node:http']
  ])('has a %s that throws for what it cannot take, also where there is no server yet', (_name, call, message) => {
    expect(() => call(wsUpgrade())).toThrow(message)
  })

  test('has a drain that rejects for what it cannot take, also where there is no server yet', async () => {
    await expect(wsUpgrade().drain({ spread: 1 } as never)).rejects.toThrow(
      "drain: unknown option 'spread'; did you mean spreadMs?"
    )
  })

  test.each([
    ['an application', () => express(), 'got an application or a router: call app.use(wsUpgrade())'],
    ['a router', () => express.Router(), 'got an application or a router: call app.use(wsUpgrade())'],
    ['a server', () => http.createServer(), 'got a server: call wsUpgrade().attach(server)']
  ])('regression: took %s for a handler or for options', (_what, make, message) => {
    const expected = new TypeError(`wsUpgrade: expected options or a handler; ${message}`)
    expect(() => wsUpgrade(make() as never)).toThrow(expected)
    expect(() => wsUpgrade({}, make() as never)).toThrow(expected)
  })

  test('says what is wrong with app.use(wsUpgrade), which lacks the call', async () => {
    const app = express().set('env', 'test')
    app.use(wsUpgrade as never)
    app.use(((error, _req, res, _next) => void res.end(error.message)) as ErrorRequestHandler)
    expect((await request(app).get('/')).text).toContain('got a request: call it, as in app.use(wsUpgrade())')
  })

  test('throws for an attach() of an application', () => {
    expect(() => wsUpgrade().attach(express() as never)).toThrow('got an application: pass the server that it runs on')
  })

  test('regression: acceptWebSocket(handler) in the place of a route left a rejection that ended the process', () => {
    expect(() => express().get('/chat', (acceptWebSocket as (...given: unknown[]) => never)(echo))).toThrow(
      /^acceptWebSocket: expected a request, .*; call it in a route: \(req, res\) => acceptWebSocket\(req, res, handler\)$/
    )
    expect(() => (acceptWithoutFramework as (...given: unknown[]) => unknown)(echo)).toThrow(/; call it in a route: /)
  })

  test('throws for a handler that is not a function', () => {
    expect(() => wsUpgrade({}, 'echo' as never)).toThrow(TypeError)
    expect(() => wsUpgrade({}, 'echo' as never)).toThrow('expected a handler')
  })

  test.each(['onError', 'onRefused'])('throws for %s on a second wsUpgrade() of one application', (option) => {
    const app = express()
    app.use(wsUpgrade({ [option]: () => {} }))
    const expected = new TypeError(
      `wsUpgrade: ${option}: only the first wsUpgrade() of an application takes options for the whole server`
    )
    expect(() => app.use(wsUpgrade({ [option]: () => {} }))).toThrow(expected)
    expect(() => app.use('/echo', wsUpgrade({ [option]: () => {} }, echo))).toThrow(expected)
  })

  test('throws for server options in a sub-application that comes second', () => {
    const app = express()
    const sub = express()
    sub.use(wsUpgrade({ onError: () => {} }))
    app.use(wsUpgrade())
    expect(() => app.use('/sub', sub)).toThrow(TypeError)
  })

  test('accepts endpoint options on a second wsUpgrade(), and one middleware at two paths', () => {
    const app = express()
    const websockets = wsUpgrade({ onError: () => {} })
    app.use('/a', websockets)
    app.use('/b', websockets)
    app.use('/c', wsUpgrade({ allowedOrigins: 'any', maxPayloadBytes: 10 }))
  })

  test('refuses to attach to something that is not a server', () => {
    expect(() => wsUpgrade().attach({} as never)).toThrow(TypeError)
  })
})
