import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import net, { type AddressInfo } from 'node:net'
import { attach, attachmentOf } from '@oneport/core'
import {
  certificate,
  closed,
  handshake,
  headArrived,
  openSession,
  sendConnect,
  sendRaw,
  signal,
  takePrinted,
  webSocketOn
} from '@oneport/test-kit'
import type Koa from 'koa'
import { Server as SocketIo } from 'socket.io'
import { io as connectSocketIo } from 'socket.io-client'
import { WebSocketServer } from 'ws'
import { type WsUpgrade, type WsUpgradeOptions, wsUpgrade } from '../src/index.ts'
import { ask, close, echo, get, useServers } from './servers.ts'
import { versions } from './versions.ts'

describe.each(versions)('A server of %s', (_name, Koa) => {
  const { serve, connect } = useServers()

  /** An application with an endpoint and a page. */
  function makeApp(websockets: WsUpgrade | undefined = wsUpgrade()): Koa {
    const app = new Koa()
    app.use(websockets)
    app.use(routes)
    return app
  }

  const routes = (ctx: Koa.Context): void => {
    if (ctx.path === '/chat') ctx.acceptWebSocket(echo)
    if (ctx.path === '/page') ctx.body = 'page'
  }

  const makers: [string, (app: Koa) => Promise<http.Server>][] = [
    ['http.createServer(app.callback())', async (app) => http.createServer(app.callback())],
    ['https.createServer(…, app.callback())', async (app) => https.createServer(await certificate(), app.callback())]
  ]

  test.each(makers)('accepts a handshake as its very first bytes with %s', async (_what, make) => {
    const target = await serve(await make(makeApp()))
    expect((await sendRaw(target, handshake('/chat'), headArrived)).status).toBe(101)
  })

  test.each(makers)('serves HTTP and WebSockets together with %s', async (_what, make) => {
    const target = await serve(await make(makeApp()))
    const client = await connect(target, '/chat')
    expect((await sendRaw(target, get('/page'))).rest).toBe('page')
    expect(await ask(client, 'hello')).toBe('hello')
  })

  test('accepts a handshake as its very first bytes with app.listen()', async () => {
    const server = makeApp().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const client = await connect({ port: (server.address() as AddressInfo).port }, '/chat')
    expect(await ask(client, 'hello')).toBe('hello')
    await close(server)
  })

  test('accepts handshakes over HTTP/2 from the first connection on', async () => {
    const server = http2.createSecureServer(await certificate(), makeApp().callback())
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const session = await openSession({ port: (server.address() as AddressInfo).port, tls: true })
    const { status, stream } = await sendConnect(session, '/chat')
    expect(status).toBe(200)
    const socket = webSocketOn(stream)
    const answer = once(socket, 'message')
    socket.send('hello')
    expect(String((await answer)[0])).toBe('hello')
    socket.terminate()
    session.destroy()
    await new Promise((resolve) => void server.close(resolve))
  })

  test('accepts handshakes if it was created before the application had its wsUpgrade()', async () => {
    const app = new Koa()
    const target = await serve(app)
    app.use(wsUpgrade())
    app.use(routes)
    expect((await sendRaw(target, get('/page'))).status).toBe(404)
    const again = await serve(app)
    expect(await ask(await connect(again, '/chat'), 'hello')).toBe('hello')
  })

  test('accepts handshakes of a callback whose names a minifier has changed', async () => {
    const callback = makeApp().callback()
    const minified = { a: (...args: Parameters<typeof callback>) => callback(...args) }.a
    minified.toString = () => '(e,t)=>{const n=this.createContext(e,t);return this.handleRequest(n,r)}'
    expect(await ask(await connect(await serve(http.createServer(minified)), '/chat'), 'hello')).toBe('hello')
  })

  describe('with a function around the callback', () => {
    const wrapped = (app: Koa): http.Server => {
      const callback = app.callback()
      return http.createServer((req, res) => void callback(req, res))
    }

    test('accepts handshakes once wsUpgrade().attach(server) has been called', async () => {
      const websockets = wsUpgrade()
      const server = wrapped(makeApp(websockets))
      const attachment = websockets.attach(server)
      expect(await ask(await connect(await serve(server), '/chat'), 'hello')).toBe('hello')
      expect(websockets.connections).toBe(attachment.connections)
      expect(websockets.connections.size).toBe(1)
    })

    test('answers a first handshake with 503, says what to call, and accepts the next one', async () => {
      const warn = jest.spyOn(process, 'emitWarning').mockImplementation()
      const target = await serve(wrapped(makeApp()))
      const first = await sendRaw(target, handshake('/chat', { Connection: 'close, Upgrade' }))
      expect([first.status, first.rest]).toEqual([503, 'The server is accepting WebSocket connections now; try again.'])
      expect(first.fields.get('retry-after')).toEqual(['5'])
      expect(takePrinted()).toEqual([
        expect.stringMatching(/^oneport: HANDSHAKE_UNAVAILABLE: this server was not known/)
      ])
      expect(warn.mock.calls).toEqual([
        [expect.stringMatching(/^wsUpgrade: .* call its attach\(server\)/), { code: 'ONEPORT_NOT_ATTACHED' }]
      ])
      expect(await ask(await connect(target, '/chat'), 'hello')).toBe('hello')
    })

    test('accepts handshakes after an ordinary request, and says once what to call', async () => {
      const warn = jest.spyOn(process, 'emitWarning').mockImplementation()
      const target = await serve(wrapped(makeApp()))
      for (const _turn of [1, 2]) expect((await sendRaw(target, get('/page'))).rest).toBe('page')
      expect(await ask(await connect(target, '/chat'), 'hello')).toBe('hello')
      expect(warn.mock.calls).toEqual([[expect.any(String), { code: 'ONEPORT_NOT_ATTACHED' }]])
    })
  })

  test('accepts handshakes on connections that it is handed, from the second request on, without a warning', async () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation()
    const server = http.createServer(makeApp().callback())
    // A little later, as if it came from another process: nothing has told of this connection to the server.
    const front = net.createServer({ pauseOnConnect: true }, (socket) => {
      setImmediate(() => void server.emit('connection', socket.resume()))
    })
    await once(front.listen(0, '127.0.0.1'), 'listening')
    const target = { port: (front.address() as AddressInfo).port }
    expect((await sendRaw(target, get('/page'))).rest).toBe('page')
    const client = await connect(target, '/chat')
    expect(await ask(client, 'hello')).toBe('hello')
    expect(warn.mock.calls).toEqual([])
    client.socket.terminate()
    await new Promise((resolve) => void front.close(resolve))
  })

  test('shares its port with Socket.IO, which puts a function around the callback', async () => {
    const websockets = wsUpgrade()
    const server = http.createServer(makeApp(websockets).callback())
    const io = new SocketIo(server)
    io.on('connection', (socket) => socket.emit('greeting', 'theirs'))
    websockets.attach(server)
    const target = await serve(server)
    const client = connectSocketIo(`http://127.0.0.1:${target.port}`, {
      reconnection: false,
      transports: ['websocket']
    })
    const [greeting] = await new Promise<unknown[]>((resolve) => {
      client.once('greeting', (...args: unknown[]) => resolve(args))
    })
    expect(greeting).toBe('theirs')
    client.disconnect()
    expect(await ask(await connect(target, '/chat'), 'hello')).toBe('hello')
    io.disconnectSockets(true)
  })

  test('can be attached by hand after its first connection, but not twice', async () => {
    const websockets = wsUpgrade({ maxConnections: 1 })
    const target = await serve(makeApp(websockets))
    await new Promise((resolve) => void net.connect(target.port, '127.0.0.1').once('connect', resolve).end())
    await connect(target, '/chat')
    expect(() => websockets.attach(target.server)).toThrow('wsUpgrade: this server is already attached')
    expect(websockets.connections.size).toBe(1)
  })

  test('can be attached by hand while it is not known whose it is', async () => {
    const [other, websockets] = [wsUpgrade(), wsUpgrade({ maxConnections: 1 })]
    const target = await serve(makeApp(websockets))
    const raw = net.connect(target.port, '127.0.0.1')
    await once(target.server, 'connection')
    websockets.attach(target.server)
    await connect(target, '/chat')
    await expect(connect(target, '/chat')).rejects.toMatchObject({ statusCode: 503 })
    expect([other.connections.size, websockets.connections.size]).toEqual([0, 1])
    takePrinted()
    raw.destroy()
  })

  test('works with a wsUpgrade() if core has already attached it', async () => {
    const server = http.createServer(makeApp().callback())
    attach(server)
    expect(await ask(await connect(await serve(server), '/chat'), 'hello')).toBe('hello')
    expect(server.listenerCount('upgrade')).toBe(1)
  })

  test('gets no listener for each of many wsUpgrade(), nor for each time it is detached and attached again', async () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation()
    const app = new Koa()
    const all = Array.from({ length: 12 }, () => wsUpgrade())
    for (const each of all) app.use(each)
    app.use(routes)
    const target = await serve(app)
    await connect(target, '/chat')
    expect(all.map(({ connections }) => connections.size)).toEqual(Array(12).fill(1))
    const [first] = all as [WsUpgrade]
    const listeners = target.server.listenerCount('close')
    for (const each of first.connections) each.terminate()
    while (first.connections.size > 0) await new Promise(setImmediate)
    for (let turn = 0; turn < 12; turn++) {
      first.detach()
      first.attach(target.server)
    }
    expect(target.server.listenerCount('close')).toBe(listeners)
    expect(await ask(await connect(target, '/chat'), 'hello')).toBe('hello')
    expect(warn.mock.calls).toEqual([])
  })

  test('stays detached once it was detached by hand', async () => {
    const websockets = wsUpgrade()
    const target = await serve(makeApp(websockets))
    await sendRaw(target, get('/page'))
    websockets.detach()
    const answer = await sendRaw(target, handshake('/chat', { Connection: 'close, Upgrade' }))
    expect(answer.status).toBe(503)
    expect(takePrinted()).toEqual([expect.stringMatching(/^oneport: HANDSHAKE_NOT_ATTACHED/)])
    websockets.attach(target.server)
    expect(await ask(await connect(target, '/chat'), 'hello')).toBe('hello')
  })

  test('leaves nothing behind when it is closed, fifty times in a row', async () => {
    const websockets = wsUpgrade()
    const app = makeApp(websockets)
    for (let turn = 0; turn < 50; turn++) {
      const { server, ...target } = await serve(app)
      const { socket } = await connect(target, '/chat')
      const end = closed(socket)
      socket.close()
      await end
      await close(server)
      expect([server.listenerCount('upgrade'), websockets.connections.size]).toEqual([0, 0])
      expect(attachmentOf(server)).toBeUndefined()
      expect(await websockets.drain()).toEqual({ closed: 0, terminated: 0 })
    }
  })

  test('accepts handshakes again when it listens again', async () => {
    const websockets = wsUpgrade()
    const server = http.createServer(makeApp(websockets).callback())
    const first = await connect(await serve(server), '/chat')
    first.socket.terminate()
    await close(server)
    expect(await ask(await connect(await serve(server), '/chat'), 'hello')).toBe('hello')
    expect(websockets.connections.size).toBe(1)
  })

  test("is drained together with the application's other servers", async () => {
    const websockets = wsUpgrade()
    const app = makeApp(websockets)
    const targets = [await serve(app), await serve(app)]
    const clients = await Promise.all(targets.map((target) => connect(target, '/chat')))
    const ends = Promise.all(clients.map(({ socket }) => closed(socket)))
    expect(websockets.connections.size).toBe(2)
    expect(await websockets.drain({ code: 1012, reason: 'restarting' })).toEqual({ closed: 2, terminated: 0 })
    expect(await ends).toEqual(Array(2).fill({ code: 1012, reason: 'restarting' }))
    for (const target of targets) expect((await sendRaw(target, handshake('/chat'))).status).toBe(503)
  })

  describe('in a process with several applications', () => {
    test('has the options of its own one, from the first handshake on', async () => {
      const few = wsUpgrade({ maxConnections: 1, onRefused: () => {} })
      const many = wsUpgrade({ maxConnections: 2, onRefused: () => {} })
      const targets = [await serve(makeApp(few)), await serve(makeApp(many))] as const
      for (const target of targets) await connect(target, '/chat')
      await expect(connect(targets[0], '/chat')).rejects.toMatchObject({ statusCode: 503 })
      await connect(targets[1], '/chat')
      await expect(connect(targets[1], '/chat')).rejects.toMatchObject({ statusCode: 503 })
      expect([few.connections.size, many.connections.size]).toEqual([1, 2])
      expect([few.stats().accepted, few.stats().pending, many.stats().accepted]).toEqual([1, 0, 2])
    })

    test('counts and reports the first handshake as its application says, also if it is refused', async () => {
      const refusals: string[] = []
      const [, websockets] = [wsUpgrade(), wsUpgrade({ onRefused: ({ code }) => refusals.push(code) })]
      const target = await serve(makeApp(websockets))
      expect((await sendRaw(target, handshake('/chat', { Origin: 'https://evil.example' }))).status).toBe(403)
      expect([refusals, websockets.stats().refused]).toEqual([['HANDSHAKE_ORIGIN'], { HANDSHAKE_ORIGIN: 1 }])
    })

    test('takes the bearer token from the subprotocols of the first handshake', async () => {
      const [, websockets] = [wsUpgrade(), wsUpgrade({ bearerSubprotocol: 'bearer.', subprotocols: ['chat'] })]
      const app = new Koa()
      app.use(websockets)
      app.use((ctx) => ctx.acceptWebSocket((socket) => socket.send(ctx.get('Authorization'))))
      const { next, socket } = await connect(await serve(app), '/', ['chat', 'bearer.secret'])
      expect([await next(), socket.protocol]).toEqual(['Bearer secret', 'chat'])
    })

    test('gives the first handshakes their own options if several arrive at once', async () => {
      const [, websockets] = [wsUpgrade(), wsUpgrade({ maxConnections: 2, onRefused: () => {} })]
      const app = makeApp(websockets)
      const target = await serve(app)
      const clients = await Promise.allSettled([1, 2, 3].map(() => connect(target, '/chat')))
      expect(clients.map(({ status }) => status).sort()).toEqual(['fulfilled', 'fulfilled', 'rejected'])
      expect(websockets.connections.size).toBe(2)
    })

    test('leaves handshakes to another listener for upgrade if its own has no wsUpgrade()', async () => {
      const websockets = wsUpgrade()
      const server = http.createServer(new Koa().callback())
      const theirs = new WebSocketServer({ server, path: '/theirs' })
      theirs.on('connection', (socket) => socket.send('theirs'))
      const target = await serve(server)
      for (const _turn of [1, 2]) expect(await (await connect(target, '/theirs')).next()).toBe('theirs')
      expect([websockets.connections.size, websockets.stats().pending]).toEqual([0, 0])
    })

    test('leaves a first handshake that waits in front of wsUpgrade() alone when another one has told whose it is', async () => {
      const [, websockets] = [wsUpgrade(), wsUpgrade()]
      const [asked, gate] = [signal(), signal()]
      const app = new Koa()
      app.use(async (ctx, next) => {
        if (ctx.path === '/slow') {
          asked.give()
          await gate.given
        }
        await next()
      })
      app.use(websockets)
      app.use((ctx) => ctx.acceptWebSocket(echo))
      const target = await serve(app)
      const slow = connect(target, '/slow')
      await asked.given
      const former = attachmentOf(target.server)
      await connect(target, '/chat')
      expect(websockets.connections.size).toBe(1)
      // It is not drained, which would cut this handshake after a while.
      expect(former?.stats()).toMatchObject({ draining: false, pending: 1 })
      gate.give()
      expect(await ask(await slow, 'hello')).toBe('hello')
      expect(websockets.connections.size).toBe(2)
    })

    test('refuses its first handshake if it was closed while middleware waited, and finishes', async () => {
      const [, websockets] = [wsUpgrade(), wsUpgrade()]
      const [asked, gate] = [signal(), signal()]
      const app = new Koa()
      app.use(websockets)
      app.use(async (ctx) => {
        asked.give()
        await gate.given
        ctx.acceptWebSocket(echo)
      })
      const { server, ...target } = await serve(app)
      const refused = connect(target, '/chat').catch(({ statusCode }) => statusCode)
      await asked.given
      const finished = once(server, 'close')
      server.close()
      void websockets.drain()
      gate.give()
      expect(await refused).toBe(503)
      await finished
    })

    const shapes: [string, WsUpgradeOptions][] = [
      ['one', {}],
      ['one with options for the whole server', { maxConnections: 1, onRefused: () => {} }]
    ]

    test.each(shapes)(
      'answers a handshake as any request if its own has no wsUpgrade(), and another has %s',
      async (_what, options) => {
        const websockets = wsUpgrade(options)
        const app = new Koa()
        app.use((ctx) => {
          ctx.body = `plain ${ctx.get('Upgrade')} ${typeof ctx.acceptWebSocket}`
        })
        const target = await serve(app)
        for (const _turn of [1, 2]) {
          const { status, rest } = await sendRaw(target, handshake('/chat', { Connection: 'close, Upgrade' }))
          expect([status, rest]).toEqual([200, 'plain websocket undefined'])
        }
        expect([websockets.connections.size, websockets.stats().pending]).toEqual([0, 0])
        await connect(await serve(makeApp(websockets)), '/chat')
        expect(websockets.connections.size).toBe(1)
      }
    )
  })
})
