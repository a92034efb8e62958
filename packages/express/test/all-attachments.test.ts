import http from 'node:http'
import { closed, handshake, sendRaw } from '@oneport/adapter-testsuite/parts'
import { attachmentOf } from '@oneport/core'
import { signal, takePrinted } from '@oneport/test-kit'
import { type Attachment, acceptWebSocket, isWebSocketRequest, type WsUpgrade, wsUpgrade } from '../src/index.ts'
import { ask, close, echo, useServers } from './servers.ts'
import { versions } from './versions.ts'

describe.each(versions)(
  'wsUpgrade() returns the attachment of all servers of an application of %s:',
  (_name, express) => {
    const { serve, connect } = useServers()

    /** An application on two servers. */
    async function serveTwice(options = {}) {
      const websockets = wsUpgrade({ onRefused: () => {}, ...options })
      const app = express()
      app.use(websockets)
      app.get('/chat', (req, res) => acceptWebSocket(req, res, { key: 'ada' }, echo))
      return { websockets, targets: [await serve(app), await serve(http.createServer(app))] as const }
    }

    test('it has the type and all members of an attachment', () => {
      const attachment: Attachment = wsUpgrade()
      const members = ['connections', 'connectionsOf', 'revoke', 'drain', 'stats', 'detach']
      expect(members.filter((name) => name in attachment)).toEqual(members)
    })

    test('its sockets are those of all servers, and for one server the set of that server', async () => {
      const { websockets, targets } = await serveTwice()
      await connect(targets[0], '/chat')
      const { connections } = websockets
      await connect(targets[0], '/chat')
      expect(connections.size).toBe(2)
      await connect(targets[1], '/chat')
      expect([connections.size, websockets.connections.size, websockets.connectionsOf('ada').size]).toEqual([2, 3, 3])
      for (const socket of websockets.connections) expect(websockets.connectionsOf('ada').has(socket)).toBe(true)
      expect(websockets.revoke('ada')).toBe(3)
      expect(websockets.connectionsOf('ada').size).toBe(0)
    })

    test('its sockets include one in its handler, and not in its close listeners', async () => {
      const websockets = wsUpgrade()
      const moments: [moment: string, isIn: boolean][] = []
      const ended = signal()
      const app = express()
      app.use(websockets)
      app.get('/', (req, res) =>
        acceptWebSocket(req, res, (socket) => {
          const see = (moment: string) => void moments.push([moment, websockets.connections.has(socket)])
          see('handler')
          socket.on('close', () => see('early close listener'))
          socket.once('message', () => {
            socket.on('close', () => see('late close listener'))
            socket.on('close', () => ended.give())
          })
        })
      )
      const { socket } = await connect(await serve(app), '/')
      socket.send('hello')
      socket.close()
      await ended.given
      expect(moments).toEqual([
        ['handler', true],
        ['early close listener', false],
        ['late close listener', false]
      ])
    })

    test('its counts are the sums for all servers', async () => {
      const { websockets, targets } = await serveTwice()
      const codes = [1000, 4001, 4001]
      for (const [index, code] of codes.entries()) {
        const { socket } = await connect(targets[index === 0 ? 0 : 1], '/chat')
        const end = closed(socket)
        socket.close(code)
        await end
      }
      await connect(targets[0], '/chat')
      for (const target of targets) {
        const refused = await sendRaw(target, handshake('/chat', { Origin: 'https://evil.example' }))
        expect(refused.status).toBe(403)
      }
      const keyless = await sendRaw(targets[1], handshake('/chat', { 'Sec-WebSocket-Key': 'short' }))
      expect(keyless.status).toBe(400)
      expect(websockets.stats()).toEqual({
        open: 1,
        httpClients: 0,
        draining: false,
        pending: 0,
        accepted: 4,
        refused: { HANDSHAKE_ORIGIN: 2, HANDSHAKE_KEY: 1 },
        closed: { 1000: 1, 4001: 2 },
        terminated: { heartbeat: 0, backpressure: 0, budget: 0, drain: 0 }
      })
    })

    test('it counts nothing before there is a server', () => {
      expect(wsUpgrade().stats()).toEqual({
        open: 0,
        httpClients: 0,
        draining: false,
        pending: 0,
        accepted: 0,
        refused: {},
        closed: {},
        terminated: { heartbeat: 0, backpressure: 0, budget: 0, drain: 0 }
      })
    })

    test('it is draining once no server accepts handshakes any more', async () => {
      const websockets = wsUpgrade()
      const app = express()
      app.use(websockets)
      const [one, other] = [http.createServer(app), http.createServer(app)]
      const attachment = websockets.attach(one)
      websockets.attach(other)
      await attachment.drain()
      expect(websockets.stats().draining).toBe(false)
      await websockets.drain()
      expect(websockets.stats().draining).toBe(true)
    })

    test('its counts of terminated connections are sums too', async () => {
      const { websockets, targets } = await serveTwice()
      for (const target of targets) (await connect(target, '/chat')).socket.pause()
      expect(await websockets.drain({ deadlineMs: 1 })).toEqual({ closed: 0, terminated: 2 })
      expect(websockets.stats().terminated).toEqual({ heartbeat: 0, backpressure: 0, budget: 0, drain: 2 })
    })

    test('drain() rejects for a wrong option, even before there is a server', async () => {
      await expect(wsUpgrade().drain({ code: 1006 })).rejects.toThrow('code: expected a close code that may be sent')
    })

    test('detach() detaches all servers, whose open connections stay open', async () => {
      const { websockets, targets } = await serveTwice()
      const clients = [await connect(targets[0], '/chat'), await connect(targets[1], '/chat')]
      websockets.detach()
      websockets.detach()
      for (const target of targets) {
        expect(target.server.listenerCount('upgrade')).toBe(0)
        // Node treats it as an ordinary request, as on any server without a listener for `upgrade`.
        const refused = await sendRaw(target, handshake('/chat', { Connection: 'Upgrade, close' }))
        expect(refused.status).toBe(503)
        expect(takePrinted()).toEqual([expect.stringContaining('HANDSHAKE_NOT_ATTACHED')])
      }
      for (const client of clients) expect(await ask(client, 'still here')).toBe('still here')
      expect(websockets.stats().open).toBe(2)
      const ends = clients.map(({ socket }) => closed(socket))
      expect(await websockets.drain({ code: 1012 })).toEqual({ closed: 2, terminated: 0 })
      expect((await Promise.all(ends)).map(({ code }) => code)).toEqual([1012, 1012])
    })

    test('a server that was detached can be attached again by hand', async () => {
      const { websockets, targets } = await serveTwice()
      await connect(targets[0], '/chat')
      websockets.detach()
      websockets.attach(targets[0].server)
      expect(await ask(await connect(targets[0], '/chat'), 'hello')).toBe('hello')
      expect(websockets.connections.size).toBe(2)
    })

    test('it releases a server that has closed', async () => {
      const { websockets, targets } = await serveTwice()
      for (const target of targets) await connect(target, '/chat')
      const attachment = attachmentOf(targets[0].server)
      await close(targets[0].server)
      await attachment?.drain()
      expect(websockets.stats()).toMatchObject({ open: 1, accepted: 1 })
    })

    test('its type is the one that both share', () => {
      const send = (websockets: Attachment, text: string) => {
        for (const socket of websockets.connections) socket.send(text)
        return websockets.stats().open
      }
      const websockets: WsUpgrade = wsUpgrade()
      expect(send(websockets, 'news')).toBe(0)
    })
  }
)

describe.each(versions)('isWebSocketRequest() in %s', (_name, express) => {
  const { serve, connect } = useServers()

  test('distinguishes a handshake from a page at the same path, in middleware and in a route', async () => {
    const seen: boolean[] = []
    const app = express()
    app.use(wsUpgrade(), (req, _res, next) => {
      seen.push(isWebSocketRequest(req))
      next()
    })
    app.get('/chat', (req, res) => {
      if (isWebSocketRequest(req)) return acceptWebSocket(req, res, echo)
      return res.send('page')
    })
    const target = await serve(app)
    const page = await sendRaw(target, 'GET /chat HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n')
    expect([page.status, page.rest]).toEqual([200, 'page'])
    expect(await ask(await connect(target, '/chat'), 'hello')).toBe('hello')
    expect(seen).toEqual([false, true])
  })
})
