import { once } from 'node:events'
import { closed, refused, signal } from '@oneport/test-kit'
import type { FastifyRequest } from 'fastify'
import { WebSocket as WsWebSocket } from 'ws'
import type { WebSocket } from '../../src/index.ts'
import { connect, echo, isOpen, scoped, start } from '../harness.ts'
import { appWith, both } from './subjects.ts'

/** What `@fastify/websocket` does, and its README does not show as a complete program. */
describe.each(both)('%s', (_name, plugin) => {
  test('tells hooks and handlers in request.ws whether this is a handshake', async () => {
    const app = await appWith(plugin)
    const seen: [string, boolean][] = []
    app.addHook('onRequest', async ({ url, ws }) => void seen.push([url, ws]))
    app.get('/ws', { websocket: true }, (_socket, request) => void seen.push(['handler', request.ws]))
    app.get('/http', async (request) => ({ ws: request.ws }))
    await connect(await start(app), '/ws')
    expect((await app.inject('/http')).json()).toEqual({ ws: false })
    expect(seen).toEqual([
      ['/ws', true],
      ['handler', true],
      ['/http', false]
    ])
  })

  test('lists the open sockets in websocketServer.clients', async () => {
    const app = await appWith(plugin)
    app.get('/', { websocket: true }, echo)
    const target = await start(app)
    const [ann, ben] = [await connect(target, '/'), await connect(target, '/')]
    expect(app.websocketServer.clients.size).toBe(2)
    for (const client of app.websocketServer.clients) if (client.readyState === WsWebSocket.OPEN) client.send('news')
    expect([await ann.next(), await ben.next()]).toEqual(['news', 'news'])
  })

  test('has a socket in websocketServer.clients in its handler, and not in its close listeners', async () => {
    const app = await appWith(plugin)
    const { websocketServer } = app
    const moments: [moment: string, isIn: boolean][] = []
    const ended = signal()
    websocketServer.on('connection', (socket) => void moments.push(['connection', websocketServer.clients.has(socket)]))
    app.get('/', { websocket: true }, (socket) => {
      const see = (moment: string) => void moments.push([moment, websocketServer.clients.has(socket)])
      see('handler')
      socket.on('close', () => see('early close listener'))
      socket.once('message', () => {
        socket.on('close', () => see('late close listener'))
        socket.on('close', () => ended.give())
      })
    })
    const { socket } = await connect(await start(app), '/')
    socket.send('hello')
    socket.close()
    await ended.given
    expect(moments).toEqual([
      ['connection', true],
      ['handler', true],
      ['early close listener', false],
      ['late close listener', false]
    ])
  })

  test('has no clients with clientTracking: false', async () => {
    const app = await appWith(plugin, { options: { clientTracking: false } })
    expect(app.websocketServer.clients).toBeUndefined()
  })

  test('emits connection with socket and raw request before the handler is called', async () => {
    const app = await appWith(plugin)
    const seen: unknown[] = []
    app.websocketServer.on('connection', (socket, request) => seen.push(socket, request.url))
    app.get('/:room', { websocket: true }, (socket) => void seen.push(socket))
    await connect(await start(app), '/lobby')
    expect(seen).toEqual([expect.any(WsWebSocket), '/lobby', seen[0]])
    expect(seen[2]).toBe(seen[0])
  })

  test('emits close of the websocketServer when the app closes', async () => {
    const app = await appWith(plugin)
    const closing = once(app.websocketServer, 'close')
    await app.ready()
    await Promise.all([closing, app.close()])
  })

  test('calls back from websocketServer.close() when the last client has gone', async () => {
    const app = await appWith(plugin)
    app.get('/', { websocket: true }, echo)
    const { socket } = await connect(await start(app), '/')
    const order: string[] = []
    const done = new Promise<void>((resolve) => {
      app.websocketServer.close(() => {
        order.push('closed')
        resolve()
      })
    })
    order.push('client leaves')
    socket.close()
    await done
    expect(order).toEqual(['client leaves', 'closed'])
    const error = await new Promise((resolve) => app.websocketServer.close(resolve))
    expect(error).toEqual(new Error('The server is not running'))
  })

  test('refuses handshakes with 503 after websocketServer.close()', async () => {
    const app = await appWith(plugin)
    app.get('/', { websocket: true }, echo)
    const target = await start(app)
    app.websocketServer.close()
    expect(await refused(connect(target, '/'))).toBe(503)
  })

  const faults: [string, (socket: WebSocket) => unknown][] = [
    [
      'throws',
      () => {
        throw new Error('broken')
      }
    ],
    ['rejects', async () => Promise.reject(new Error('broken'))]
  ]

  test.each(faults)('passes errorHandler what a handler %s', async (_how, handler) => {
    const called = signal<unknown[]>()
    const app = await appWith(plugin, {
      errorHandler(error, socket, request, reply) {
        called.give([this.prefix, error.message, request.url, reply.request === request])
        socket.close(4000, 'broken')
      }
    })
    void app.register(
      scoped((scope) => scope.get('/x', { websocket: true }, handler)),
      { prefix: '/scope' }
    )
    const { socket } = await connect(await start(app), '/scope/x')
    expect((await closed(socket)).code).toBe(4000)
    expect(await called.given).toEqual(['/scope', 'broken', '/scope/x', true])
  })

  test('passes errorHandler the errors of a socket', async () => {
    const called = signal<unknown>()
    const app = await appWith(plugin, {
      errorHandler: (error, socket) => {
        called.give((error as NodeJS.ErrnoException).code)
        socket.terminate()
      }
    })
    app.get('/', { websocket: true }, () => {})
    const { socket } = await connect(await start(app), '/')
    ;(socket as unknown as { _socket: NodeJS.WritableStream })._socket.write(Buffer.from([0xa2, 0x00]))
    expect(await called.given).toBe('WS_ERR_UNEXPECTED_RSV_2_3')
  })

  test("emits a socket's errors to its listeners, without a logger too", async () => {
    const app = await appWith(plugin, {}, {})
    const told = signal<unknown>()
    app.get('/', { websocket: true }, (socket) => {
      socket.on('error', (error) => told.give((error as NodeJS.ErrnoException).code))
    })
    const { socket } = await connect(await start(app), '/')
    ;(socket as unknown as { _socket: NodeJS.WritableStream })._socket.write(Buffer.from([0xa2, 0x00]))
    expect(await told.given).toBe('WS_ERR_UNEXPECTED_RSV_2_3')
  })

  test('leaves a connection open if errorHandler does nothing', async () => {
    const app = await appWith(plugin, { errorHandler: () => {} })
    app.get('/', { websocket: true }, (socket) => {
      echo(socket)
      throw new Error('broken')
    })
    expect(await isOpen(await connect(await start(app), '/'))).toBe(true)
  })

  test.each(['HEAD', ['HEAD']])('answers 404 at a { websocket: true } route for %j only', async (method) => {
    const app = await appWith(plugin)
    app.route({ method: method as 'HEAD', url: '/', websocket: true, handler: echo })
    expect((await app.inject({ method: 'HEAD', url: '/' })).statusCode).toBe(404)
  })

  test('hides { websocket: true } routes from a description of the API, and no others', async () => {
    const app = await appWith(plugin)
    const hidden: Record<string, unknown> = {}
    const note = async ({ url, routeOptions }: FastifyRequest) => {
      hidden[url] = (routeOptions.schema as { hide?: boolean } | undefined)?.hide
    }
    app.addHook('onRequest', note)
    app.get('/ws', { websocket: true, schema: { querystring: { type: 'object' } } }, () => {})
    app.route({ method: 'GET', url: '/both', handler: async () => 'http', wsHandler: () => {} })
    await app.inject('/ws')
    await app.inject('/both')
    expect(hidden).toEqual({ '/ws': true, '/both': undefined })
  })

  test('calls preClose on the app, with a callback or as a promise', async () => {
    const instances: unknown[] = []
    const withCallback = function (this: unknown, done: () => void) {
      instances.push(this)
      done()
    }
    const asPromise = async function (this: unknown) {
      instances.push(this)
    }
    for (const preClose of [withCallback, asPromise]) {
      const app = await appWith(plugin, { preClose })
      await app.ready()
      await app.close()
      expect(instances.pop()).toBe(app)
    }
  })
})
