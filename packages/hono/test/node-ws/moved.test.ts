import type { EventEmitter } from 'node:events'
import { createSecureServer } from 'node:http2'
import { createAdaptorServer } from '@hono/node-server'
import { certificate } from '@oneport/adapter-testsuite/parts'
import { connect, expectRefused } from '@oneport/testing'
import { Hono } from 'hono'
import { setCookie } from 'hono/cookie'
import { attach, createNodeWebSocket, type NodeWebSocketInit, upgradeWebSocket } from '../../src/node-ws/index.ts'

/** An application that has been moved from @hono/node-ws. */
function moved(options: Omit<NodeWebSocketInit, 'app'> = {}) {
  const app = new Hono()
  const { injectWebSocket, upgradeWebSocket, wss } = createNodeWebSocket({ app, ...options })
  const server = createAdaptorServer({ fetch: app.fetch })
  return { app, server, upgradeWebSocket, wss, websockets: injectWebSocket(server) }
}

describe('a moved application', () => {
  test('sends what middleware sets with the 101, and whole answers to refused handshakes', async () => {
    const { app, server, upgradeWebSocket } = moved()
    app.use(async (c, next) => {
      await next()
      setCookie(c, 'one', '1')
      setCookie(c, 'two', '2')
    })
    app.get(
      '/',
      (c, next) => (c.req.query('key') === undefined ? Promise.resolve(c.text('Key?', 401)) : next()),
      upgradeWebSocket(() => ({}))
    )
    const client = await connect(server, '/?key=7')
    expect(client.response.headers['set-cookie']).toEqual(['one=1; Path=/', 'two=2; Path=/'])
    const { status, body } = await expectRefused(server, '/')
    expect([status, body]).toEqual([401, 'Key?'])
  })

  test.each([
    ['opens a socket behind an empty response', () => new Response(null, { headers: { 'X-Early': 'set' } }), 101],
    ['leaves a refusal', () => new Response(null, { status: 401 }), 401],
    ['leaves a page', () => new Response('a page'), 200]
  ])(
    'answers with %s that middleware has set before the route as Hono does, or opens',
    async (_what, early, status) => {
      const { app, server, upgradeWebSocket } = moved()
      app.use((c, next) => {
        c.res = early()
        return next()
      })
      app.get(
        '/',
        upgradeWebSocket(() => ({}))
      )
      if (status !== 101) expect((await expectRefused(server, '/')).status).toBe(status)
      else expect((await connect(server, '/')).response.headers).toMatchObject({ 'x-early': 'set' })
    }
  )

  test('works over HTTP/2', async () => {
    const app = new Hono()
    app.get(
      '/',
      upgradeWebSocket(() => ({ onOpen: (_event, ws) => ws.send('hello') })),
      (c) => c.text('a page')
    )
    const serverOptions = await certificate()
    const server = createAdaptorServer({ fetch: app.fetch, createServer: createSecureServer, serverOptions })
    attach(server)
    expect(await (await connect(server, '/')).next()).toBe('hello')
  })

  test('refuses pages of other origins, unless an option allows them', async () => {
    for (const [allowedOrigins, status] of [
      [undefined, 403],
      ['any', 101]
    ] as const) {
      const { app, server, upgradeWebSocket } = moved({ allowedOrigins, onRefused: () => {} })
      app.get(
        '/',
        upgradeWebSocket(() => ({ onOpen: (_event, ws) => ws.send('hello') }))
      )
      const options = { origin: 'https://other.example' }
      if (status === 403) expect((await expectRefused(server, '/', options)).status).toBe(403)
      else expect(await (await connect(server, '/', options)).next()).toBe('hello')
    }
  })

  test('takes the options of an endpoint next to onError', async () => {
    const { app, server, upgradeWebSocket } = moved()
    app.get(
      '/',
      upgradeWebSocket(() => ({}), { subprotocols: ['v2'], maxPayloadBytes: 4, onError: () => {} })
    )
    const client = await connect(server, '/', { subprotocols: ['v1', 'v2'] })
    expect(client.subprotocol).toBe('v2')
    client.send('12345')
    expect((await client.closed).code).toBe(1009)
  })

  test('wss has the sockets of all routes', async () => {
    const { app, server, upgradeWebSocket, wss, websockets } = moved()
    const seen: unknown[] = []
    wss.on('connection', (socket, { url }) => seen.push(wss.clients.has(socket), url))
    app.get(
      '/chat',
      upgradeWebSocket(() => ({ onOpen: () => seen.push('open') }))
    )
    const client = await connect(server, '/chat')
    expect(seen).toEqual([true, '/chat', 'open'])
    expect([...wss.clients]).toEqual([...websockets.connections])
    await client.close()
    await websockets.drain()
    expect(wss.clients.size).toBe(0)
    expect(() => (wss as EventEmitter).on('headers', () => {})).toThrow(
      new TypeError("There is no event 'headers' here; use c.header() to set header fields of the 101")
    )
  })

  test('wss.close() refuses further handshakes, and calls back when the last client is gone', async () => {
    const { app, server, upgradeWebSocket, wss } = moved()
    app.get(
      '/',
      upgradeWebSocket(() => ({}))
    )
    const client = await connect(server, '/')
    let isClosed = false
    const closed = new Promise<void>((resolve) =>
      wss.close(() => {
        isClosed = true
        resolve()
      })
    )
    expect((await expectRefused(server, '/')).status).toBe(503)
    expect(isClosed).toBe(false)
    await client.close()
    await closed
  })

  test('a handler that rejects is a call of onError, and not the end of the process', async () => {
    const { app, server, upgradeWebSocket } = moved()
    const faults: unknown[] = []
    app.get(
      '/',
      upgradeWebSocket(
        () => ({
          onOpen: async () => Promise.reject(new Error('in onOpen')),
          onMessage: async (_event, ws) => {
            ws.send('heard')
            throw new Error('in onMessage')
          }
        }),
        { onError: (error) => faults.push(error) }
      )
    )
    const client = await connect(server, '/')
    client.send('hello')
    await client.next()
    await client.ping()
    expect(faults.map(String)).toEqual(['Error: in onOpen', 'Error: in onMessage'])
  })

  test.each(['onOpen', 'onMessage', 'onClose'] as const)(
    'an onError that throws for %s is a fault of the connection',
    async (name) => {
      let tell = (_fault: unknown): void => {}
      const told = new Promise((resolve) => {
        tell = resolve
      })
      const { app, server, upgradeWebSocket } = moved({ onError: (fault) => tell(fault) })
      const fail = (): never => {
        throw new Error('broken')
      }
      app.get(
        '/',
        upgradeWebSocket(() => ({ [name]: fail }), { onError: fail })
      )
      const client = await connect(server, '/')
      if (name === 'onMessage') client.send('hello')
      if (name === 'onClose') await client.close()
      expect(await told).toEqual(new Error('broken'))
      expect((await client.closed).code).toBe(name === 'onClose' ? 1000 : 1011)
    }
  )

  test('wasClean says whether there was a closing handshake', async () => {
    const { app, server, upgradeWebSocket } = moved()
    const seen: unknown[] = []
    let tell = (): void => {}
    app.get(
      '/',
      upgradeWebSocket(() => ({
        onClose: ({ code, wasClean }) => {
          seen.push([code, wasClean])
          tell()
        }
      }))
    )
    for (const end of ['close', 'terminate'] as const) {
      const ended = new Promise<void>((resolve) => {
        tell = resolve
      })
      const { socket } = await connect(server, '/')
      socket[end]()
      await ended
    }
    expect(seen).toEqual([
      [1005, true],
      [1006, false]
    ])
  })

  test('app and baseUrl are accepted, and other names are not', () => {
    const app = new Hono<{ Variables: { user: string } }>()
    expect(createNodeWebSocket({ app, baseUrl: new URL('http://localhost') })).toHaveProperty('upgradeWebSocket')
    expect(() => createNodeWebSocket({ app, baseURL: 'http://localhost' } as never)).toThrow(
      new TypeError("createNodeWebSocket: unknown option 'baseURL'; did you mean baseUrl?")
    )
  })
})
