import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { WebSocket as WsWebSocket } from 'ws'
import byDefault, { type DrainResult, type WebSocket, type WebSocketRouteHandler, wsPlugin } from '../src/index.ts'
import { connect, echo, makeApp, start } from './harness.ts'

/** Whether two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles only for `true`. */
function holds<_Claim extends true>(): void {}

/** Routes that are only compiled, on an app that never listens. */
const compiled = (name: string, add: (app: FastifyInstance) => unknown) =>
  test(name, async () => {
    add(await makeApp())
  })

interface Room {
  Params: { room: string }
  Querystring: { limit: number }
  Body: { text: string }
  Headers: { 'x-client': string }
}

describe('a { websocket: true } handler', () => {
  compiled('gets the types of the generic argument', (app) =>
    app.get<Room>('/:room', { websocket: true }, (socket, request) => {
      holds<Same<typeof socket, WebSocket>>()
      holds<Same<typeof request.params, { room: string }>>()
      holds<Same<typeof request.query, { limit: number }>>()
      holds<Same<typeof request.body, { text: string }>>()
      holds<Same<(typeof request.headers)['x-client'], string>>()
      // @ts-expect-error no such parameter in the path
      request.params.rooms
      // @ts-expect-error no such field
      request.query.offset
    })
  )

  compiled('gets them with options instead of true', (app) =>
    app.get<Room>('/:room', { websocket: { subprotocols: ['chat.v2'] } }, (socket, request) => {
      holds<Same<typeof socket, WebSocket>>()
      holds<Same<typeof request.params, { room: string }>>()
    })
  )

  compiled('gets them in route()', (app) =>
    app.route<Room>({
      method: 'GET',
      url: '/:room',
      websocket: true,
      handler(socket, request) {
        holds<Same<typeof socket, WebSocket>>()
        holds<Same<typeof request.params, { room: string }>>()
        // @ts-expect-error no such parameter in the path
        request.params.rooms
      }
    })
  )

  compiled('gets unknown by default', (app) =>
    app.get('/:room', { websocket: true }, (_socket, request) => {
      holds<Same<typeof request.params, unknown>>()
      holds<Same<typeof request.query, unknown>>()
    })
  )

  compiled('has the instance as `this`', (app) =>
    app.get('/', { websocket: true }, function () {
      holds<Same<typeof this, FastifyInstance>>()
      this.log.info('typed')
    })
  )

  compiled('may be async', (app) => app.get('/', { websocket: true }, async (socket) => socket.send('hi')))

  compiled('may be the only argument', (app) => {
    const handler: WebSocketRouteHandler = (socket, request) => socket.send(request.url)
    app.get('/', { websocket: true }, handler)
    const exported: (socket: WebSocket) => void = echo
    app.get('/echo', { websocket: true }, exported)
  })

  compiled('is not (request, reply)', (app) => {
    app.get('/inferred', { websocket: true }, (socket, reply) => {
      // @ts-expect-error the first parameter is the socket
      socket.params
      // @ts-expect-error the second parameter is the request
      reply.send
    })
    const ordinary = (_request: FastifyRequest, reply: FastifyReply) => reply.code(200)
    // @ts-expect-error the handler of an ordinary route
    app.get('/written', { websocket: true }, ordinary)
    // @ts-expect-error the handler of an ordinary route
    app.route({ method: 'GET', url: '/route', websocket: true, handler: ordinary })
    // @ts-expect-error the handler of an ordinary route
    app.route({ method: 'GET', url: '/both', handler: ordinary, wsHandler: ordinary })
  })

  compiled('keeps the types of hooks next to it', (app) =>
    app.get<Room>(
      '/:room',
      {
        websocket: true,
        onRequest: async (request, reply) => {
          holds<Same<typeof request.params, { room: string }>>()
          reply.header('X-Room', request.params.room)
        },
        config: { limit: 3 }
      },
      (_socket, request) => void request.routeOptions.config
    )
  )
})

describe('the options of an endpoint', () => {
  compiled('are checked', (app) => {
    const add = () => {
      // @ts-expect-error it is called subprotocols
      app.get('/a', { websocket: { subprotocol: ['chat'] } }, echo)
      // @ts-expect-error a number of bytes
      app.get('/b', { websocket: { maxPayloadBytes: '1mb' } }, echo)
      // @ts-expect-error true, or the options
      app.get('/c', { websocket: 'yes' }, echo)
      // @ts-expect-error it is called websocket
      app.get('/d', { websockets: true }, echo)
      app.get('/e', (_request, reply) =>
        // @ts-expect-error it is called subprotocols
        reply.acceptWebSocket({ subprotocol: ['chat'] }, echo)
      )
      // @ts-expect-error a handler is missing
      app.get('/f', (_request, reply) => reply.acceptWebSocket({ subprotocols: ['chat'] }))
      // @ts-expect-error concerns the server, not an endpoint
      app.get('/g', { websocket: { onError: () => {} } }, echo)
    }
    expect(typeof add).toBe('function')
  })

  test('of the plugin are checked', () => {
    const register = async (app: FastifyInstance) => {
      await app.register(wsPlugin)
      await app.register(wsPlugin, { subprotocols: ['chat'], onError: (_error, { phase }) => void phase })
      await app.register(wsPlugin, { prefix: '/ws', logLevel: 'warn' })
      // @ts-expect-error it is called allowedOrigins
      await app.register(wsPlugin, { allowedOrigin: ['https://a.example'] })
      // @ts-expect-error Fastify says what is effective
      await app.register(wsPlugin, { effectiveRequest: () => ({}) })
    }
    expect(typeof register).toBe('function')
  })
})

describe('an ordinary route', () => {
  compiled('keeps its own types', (app) => {
    app.get<Room>('/:room', (request, reply) => {
      holds<Same<typeof request.params, { room: string }>>()
      reply.send(request.query.limit)
    })
    app.get('/plain', { websocket: false }, (_request, reply) => reply.send('plain'))
    app.get<{ Reply: { ok: boolean } }>('/reply', { logLevel: 'warn' }, async (_request, reply) => {
      // @ts-expect-error not the reply of this route
      reply.send({ ok: 'yes' })
      return { ok: true }
    })
    app.route<Room>({
      method: 'POST',
      url: '/:room',
      handler: async (request) => {
        holds<Same<typeof request.body, { text: string }>>()
        // @ts-expect-error no socket here
        request.close()
      }
    })
    // @ts-expect-error the handler of an endpoint
    app.get('/socket', (socket: WebSocket, _request: FastifyRequest) => socket.send('no'))
  })
})

describe('wsHandler', () => {
  compiled('and handler have their own types', (app) =>
    app.route<Room>({
      method: 'GET',
      url: '/:room',
      handler: (request, reply) => {
        holds<Same<typeof request.params, { room: string }>>()
        reply.send(request.params.room)
      },
      wsHandler(socket, request) {
        holds<Same<typeof socket, WebSocket>>()
        holds<Same<typeof request.params, { room: string }>>()
        holds<Same<typeof request.query, { limit: number }>>()
        holds<Same<typeof this, FastifyInstance>>()
        // @ts-expect-error no such parameter in the path
        request.params.rooms
        // @ts-expect-error the second parameter is the request
        request.send
      }
    })
  )

  compiled('can be combined with the options of websocket', (app) =>
    app.route<Room>({
      method: 'GET',
      url: '/:room',
      websocket: { subprotocols: ['chat.v2'] },
      handler: (_request, reply) => reply.send('page'),
      wsHandler: (socket) => socket.send('live')
    })
  )

  compiled('is a function of socket and request', (app) => {
    const add = () =>
      app.route({
        method: 'GET',
        url: '/',
        handler: async () => 'page',
        // @ts-expect-error the handler of an ordinary route
        wsHandler: (_request: FastifyRequest, reply: FastifyReply) => reply.send('no')
      })
    expect(typeof add).toBe('function')
  })
})

describe('reply.acceptWebSocket()', () => {
  compiled('keeps the types of its route', (app) =>
    app.get<Room>('/:room', (request, reply) => {
      holds<Same<typeof request.params, { room: string }>>()
      const accepting = reply.acceptWebSocket({ subprotocols: ['chat.v2'] }, function (socket) {
        holds<Same<typeof socket, WebSocket>>()
        holds<Same<typeof this, FastifyInstance>>()
        this.log.info('typed')
        // @ts-expect-error no such parameter in the path
        socket.send(request.params.rooms)
      })
      holds<Same<typeof accepting, Promise<void>>>()
      return accepting
    })
  )

  compiled('may be returned next to an HTTP answer', (app) => {
    app.get<Room>('/sync/:room', (request, reply) =>
      request.params.room === 'private' ? reply.code(403).send('no') : reply.acceptWebSocket(echo)
    )
    app.get<Room & { Reply: { error: string } }>('/async/:room', async (request, reply) => {
      if (request.params.room === 'private') return reply.code(403).send({ error: 'no' })
      return reply.acceptWebSocket(echo)
    })
  })
})

describe('other kinds of instance', () => {
  test('with TLS or a logger accept the plugin and its routes', () => {
    const compile = async () => {
      const secure = Fastify({ https: { key: '', cert: '' } })
      await secure.register(wsPlugin)
      secure.get<Room>('/:room', { websocket: true }, (socket, request) => socket.send(request.params.room))
      secure.get<Room>('/reply/:room', (_request, reply) => reply.acceptWebSocket(echo))
      const logging = Fastify({ logger: { level: 'info' } })
      await logging.register(wsPlugin)
      logging.get('/', { websocket: true }, (_socket, request) => request.log.info('typed'))
    }
    expect(typeof compile).toBe('function')
  })

  compiled('app.websockets contains sockets of ws', (app) => {
    for (const socket of app.websockets.connections) holds<Same<typeof socket, WebSocket>>()
    holds<Same<ReturnType<typeof app.websockets.drain>, Promise<DrainResult>>>()
  })
})

test('the socket of a handler is a WebSocket of ws', async () => {
  const app = await makeApp()
  let isWs = false
  app.get('/', { websocket: true }, (socket) => {
    isWs = socket instanceof WsWebSocket
  })
  await connect(await start(app), '/')
  expect(isWs).toBe(true)
})

test('the plugin is the default export too', () => {
  expect(byDefault).toBe(wsPlugin)
})
