import { once } from 'node:events'
import http from 'node:http'
import { closed } from '@oneport/adapter-testsuite/parts'
import { attach, attachmentOf } from '@oneport/core'
import request from 'supertest'
import { acceptWebSocket, wsUpgrade } from '../src/index.ts'
import { echo, useServers } from './servers.ts'
import { versions } from './versions.ts'

describe.each(versions)('wsUpgrade() in applications of %s', (_name, express) => {
  const { serve, connect } = useServers()

  test('regression: one mounted after the first connection did not see the sockets of its application', async () => {
    const app = express()
    const early = wsUpgrade()
    app.use(early)
    app.get('/early', (req, res) => acceptWebSocket(req, res, echo))
    const target = await serve(app)
    await connect(target, '/early')
    const late = wsUpgrade(echo)
    app.use('/late', late)
    await connect(target, '/late')
    expect(late.connections.size).toBe(2)
    expect(late.connections).toEqual(early.connections)
    expect(await late.drain()).toEqual({ closed: 2, terminated: 0 })
  })

  test("regression: a server attached by hand before app.use() was unknown to the application's others", async () => {
    const app = express()
    const first = wsUpgrade()
    const second = wsUpgrade(echo)
    const server = http.createServer((req, res) => app(req, res))
    first.attach(server)
    app.use(first)
    app.use('/echo', second)
    await connect(await serve(server), '/echo')
    expect(first.connections.size).toBe(1)
    expect(second.connections).toEqual(first.connections)
  })

  test('regression: attach() of a second one forgot the server options of the first', async () => {
    const app = express()
    const codes: string[] = []
    app.use(wsUpgrade({ onRefused: ({ code }) => void codes.push(code) }))
    const second = wsUpgrade({ allowedOrigins: ['https://app.example'] }, echo)
    app.use('/echo', second)
    const server = http.createServer((req, res) => app(req, res))
    second.attach(server)
    const target = await serve(server)
    await expect(connect(target, '/echo', [], { origin: 'https://evil.example' })).rejects.toBeDefined()
    expect(codes).toEqual(['HANDSHAKE_ORIGIN'])
  })

  test('regression: Node warned of a listener leak with eleven of them in one application', () => {
    const warnings: Error[] = []
    const warn = jest
      .spyOn(process, 'emitWarning')
      .mockImplementation((warning) => void warnings.push(warning as Error))
    const app = express()
    for (let n = 0; n < 11; n++) app.use(`/${n}`, wsUpgrade(echo))
    expect(app.listenerCount('mount')).toBeLessThan(3)
    expect(warnings).toEqual([])
    warn.mockRestore()
  })

  test('regression: with one mounted in two applications, the first forgot what it got later', async () => {
    const [one, other, shared] = [express(), express(), express()]
    shared.use(wsUpgrade())
    one.use('/in', shared)
    other.use('/in', shared)
    const late = wsUpgrade(echo)
    shared.use('/echo', late)
    await connect(await serve(one), '/in/echo')
    expect(late.connections.size).toBe(1)
  })

  test('regression: each attachment that was detached by hand left a listener behind', async () => {
    const app = express()
    const websockets = wsUpgrade(echo)
    app.use(websockets)
    const server = http.createServer((req, res) => app(req, res))
    const first = websockets.attach(server)
    const listeners = server.listenerCount('close')
    await connect(await serve(server), '/')
    first.detach()
    for (let round = 0; round < 3; round++) websockets.attach(server).detach()
    websockets.attach(server)
    expect(server.listenerCount('close')).toBe(listeners)
    // The connection of the first attachment.
    expect(websockets.connections.size).toBe(1)
  })

  test('regression: a server whose attachment was detached by hand could not be attached again', async () => {
    const app = express()
    const websockets = wsUpgrade(echo)
    app.use(websockets)
    const server = http.createServer((req, res) => app(req, res))
    websockets.attach(server).detach()
    const target = await serve(server)
    websockets.attach(server)
    await connect(target, '/')
    expect(websockets.connections.size).toBe(1)
  })

  test('regression: drain() after close() did not wait for connections that the server was handed', async () => {
    const app = express()
    const websockets = wsUpgrade(echo)
    app.use(websockets)
    const server = http.createServer(app)
    websockets.attach(server)
    const front = http.createServer()
    front.removeAllListeners('connection')
    front.on('connection', (socket) => server.emit('connection', socket))
    const { socket } = await connect(await serve(front), '/')
    const end = closed(socket)
    server.close()
    await once(server, 'close')
    expect(websockets.connections.size).toBe(1)
    expect(await websockets.drain()).toEqual({ closed: 1, terminated: 0 })
    expect(await end).toMatchObject({ code: 1001 })
    expect([...websockets.connections]).toEqual([])
  })

  describe('behind a route', () => {
    const strict = { allowedOrigins: ['https://app.example'], maxPayloadBytes: 1_024 }
    const behindRoutes = [
      expect.stringMatching(/not in force for it: allowedOrigins, maxPayloadBytes\. Put app\.use\(wsUpgrade/),
      { code: 'ONEPORT_BEHIND_ROUTES' }
    ]

    test('regression: its options were not in force, and nothing said so', async () => {
      const warn = jest.spyOn(process, 'emitWarning').mockImplementation()
      const app = express()
      app.get('/chat', (req, res) => acceptWebSocket(req, res, echo))
      app.use(wsUpgrade(strict))
      const target = await serve(app)
      await connect(target, '/chat')
      await connect(target, '/chat')
      expect(warn.mock.calls).toEqual([behindRoutes])
    })

    test('warns of a route of a mounted application too', async () => {
      const warn = jest.spyOn(process, 'emitWarning').mockImplementation()
      const [app, inner] = [express(), express()]
      inner.get('/chat', (req, res) => acceptWebSocket(req, res, echo))
      app.use('/in', inner)
      app.use(wsUpgrade(strict))
      await connect(await serve(app), '/in/chat')
      expect(warn.mock.calls).toEqual([behindRoutes])
    })

    test('does not warn if the options are for another path, or if there are none', async () => {
      const warn = jest.spyOn(process, 'emitWarning').mockImplementation()
      const app = express()
      app.get('/chat', (req, res) => acceptWebSocket(req, res, echo))
      app.use('/admin', wsUpgrade(strict))
      app.use('/echo', wsUpgrade(strict, echo))
      app.use(wsUpgrade())
      const target = await serve(app)
      await connect(target, '/chat')
      await connect(target, '/echo')
      expect(warn.mock.calls).toEqual([])
    })

    test('does not warn if the route comes after it', async () => {
      const warn = jest.spyOn(process, 'emitWarning').mockImplementation()
      const app = express()
      app.use(wsUpgrade(strict))
      app.get('/chat', (req, res) => acceptWebSocket(req, res, echo))
      await connect(await serve(app), '/chat')
      expect(warn.mock.calls).toEqual([])
    })

    test('regression: warned of an ordinary request at an endpoint', async () => {
      const warn = jest.spyOn(process, 'emitWarning').mockImplementation()
      const app = express().set('env', 'test')
      app.use(wsUpgrade(strict))
      app.get('/chat', (req, res) => acceptWebSocket(req, res, echo))
      await request(app).get('/chat').expect(426)
      expect(warn.mock.calls).toEqual([])
    })
  })

  test.each<[how: string, attach: (server: http.Server, app: http.RequestListener) => unknown]>([
    ['attach(server, app)', (server, app) => attach(server, app)],
    ['attach(server)', (server) => attach(server)]
  ])('regression: ran the application twice, or ended the process, next to %s of core', async (_how, attachByCore) => {
    const app = express()
    let runs = 0
    app.use((_req, _res, next) => {
      runs++
      next()
    })
    app.use(wsUpgrade())
    const server = http.createServer(app)
    attachByCore(server, app)
    const target = await serve(server)
    await expect(connect(target, '/nowhere')).rejects.toBeDefined()
    expect(runs).toBe(1)
    expect(attachmentOf(server)).toBeDefined()
  })
})
