import Fastify, { type FastifyInstance, type HTTPMethods } from 'fastify'
import { type EndpointOptions, type WsPluginOptions, wsPlugin } from '../src/index.ts'
import { echo, makeApp, owned, scoped } from './harness.ts'

const bare = () => owned(Fastify() as FastifyInstance)

describe('registered after routes', () => {
  test('names the earlier routes', async () => {
    const app = bare()
    app.get('/early', async () => 'early')
    app.get('/rooms/:id/members', async () => 'members')
    app.post('/rooms', async () => 'posted')
    await expect(app.register(wsPlugin)).rejects.toThrow(
      'wsPlugin loaded after the routes /early, /rooms/:id/members, which therefore cannot be WebSocket endpoints. ' +
        'Put `await app.register(wsPlugin)` above the routes: without `await`, it loads after all routes of the same ' +
        'function. Where you cannot use `await`, as in CommonJS, put the routes into a plugin of their own: ' +
        '`app.register(async (app) => { … })`.'
    )
  })

  test('says so if `await` was forgotten in front of it', async () => {
    const app = bare()
    void app.register(wsPlugin)
    app.get('/echo', { websocket: true }, echo)
    await expect(app.ready()).rejects.toThrow(
      /wsPlugin loaded after the route \/echo, which therefore cannot be a WebSocket endpoint\. .* without `await`, it loads/
    )
  })

  test('names each of many routes by its full path', async () => {
    const app = bare()
    const paths = ['/', '/a', '/a/b', '/ab', '/a/:id', '/a/:id/c', '/r/:x(^\\d+$)']
    for (const path of paths) app.get(path, async () => 'early')
    const error = await Promise.resolve(app.register(wsPlugin)).then(
      () => undefined,
      (reason: Error) => reason
    )
    const named = /loaded after the routes (.*), which therefore/.exec(error?.message ?? '')?.[1]?.split(', ') ?? []
    expect([...named].sort()).toEqual([...paths].sort())
  })

  test.each([
    ['with constraints', '/named', { constraints: { host: 'a.example' } }],
    ['with a wildcard', '/files/*', {}],
    ['for any path', '*', {}]
  ])('finds a route %s', async (_what, path, options) => {
    const app = bare()
    app.get(path, options, async () => 'early')
    await expect(app.register(wsPlugin)).rejects.toThrow('wsPlugin loaded after the route ')
  })

  test('is fine if the routes do not accept GET', async () => {
    const app = bare()
    app.post('/posted', async () => 'posted')
    app.delete('/posted', async () => 'deleted')
    await app.register(wsPlugin)
    app.get('/echo', { websocket: true }, echo)
    await expect(app.ready()).resolves.toBe(app)
  })

  test('is fine if the routes are added by plugins that load later', async () => {
    const app = bare()
    void app.register(wsPlugin)
    void app.register(scoped((scope) => scope.get('/echo', { websocket: true }, echo)))
    await app.ready()
    expect((await app.inject('/echo')).statusCode).toBe(426)
  })
})

describe('registered twice', () => {
  const message = '@oneport/fastify is registered twice on this server; register it once, on the root instance.'

  test('on one instance throws', async () => {
    const app = await makeApp()
    await expect(app.register(wsPlugin)).rejects.toThrow(message)
  })

  test('in a nested scope throws', async () => {
    const app = await makeApp()
    void app.register(scoped((scope) => scope.register(wsPlugin)))
    await expect(app.ready()).rejects.toThrow(message)
  })

  test('in two sibling scopes throws', async () => {
    const app = bare()
    for (const prefix of ['/one', '/two']) {
      void app.register(
        scoped((scope) => scope.register(wsPlugin)),
        { prefix }
      )
    }
    await expect(app.ready()).rejects.toThrow(message)
  })

  test('on two apps is fine', async () => {
    const apps = [await makeApp(), await makeApp()]
    for (const app of apps) await expect(app.ready()).resolves.toBe(app)
  })
})

describe('a wrong option of the plugin', () => {
  const wrong: [string, unknown, RegExp][] = [
    [
      'an unknown name',
      { allowedOrigin: ['https://a.example'] },
      /^wsPlugin: unknown option 'allowedOrigin'; did you mean allowedOrigins\?$/
    ],
    [
      'an origin with a path',
      { allowedOrigins: ['https://a.example/chat'] },
      /^wsPlugin: allowedOrigins: expected an origin such as/
    ],
    [
      'a limit that is a string',
      { maxPayloadBytes: '1mb' },
      /^wsPlugin: maxPayloadBytes: expected a whole number of bytes .*'1mb'/
    ],
    ['a log function that is not one', { onRefused: true }, /^wsPlugin: onRefused: expected a function; got true/],
    ['a fault function that is not one', { onError: 'log' }, /^wsPlugin: onError: expected a function; got 'log'/],
    ['an option of ws that core sets', { ws: { path: '/x' } }, /^wsPlugin: ws\.path: cannot be set here/],
    [
      'what trustProxy decides',
      { effectiveRequest: () => ({}) },
      /^wsPlugin: effectiveRequest cannot be set here; use Fastify\(\{ trustProxy \}\)/
    ]
  ]

  test.each(wrong)('makes register reject: %s', async (_what, options, message) => {
    const app = bare()
    await expect(app.register(wsPlugin, options as WsPluginOptions)).rejects.toThrow(message)
  })

  test.each(wrong)('makes ready reject: %s', async (_what, options, message) => {
    const app = bare()
    void app.register(wsPlugin, options as WsPluginOptions)
    await expect(app.ready()).rejects.toThrow(message)
  })

  test('leaves the server free for a correct registration', async () => {
    const app = bare()
    await expect(app.register(wsPlugin, { subprotocols: ['a b'] })).rejects.toThrow(TypeError)
    expect(app.server.listenerCount('upgrade')).toBe(0)
  })
})

describe('the options that Fastify passes to a plugin', () => {
  test.each([{ prefix: '/ws' }, { logLevel: 'warn' as const }, { logSerializers: {} }])(
    'are accepted: %j',
    async (options) => {
      const app = bare()
      await app.register(wsPlugin, options)
      await expect(app.ready()).resolves.toBe(app)
    }
  )

  test('may come from a function', async () => {
    const app = bare()
    await app.register(wsPlugin, () => ({ subprotocols: ['chat'] }))
    await expect(app.ready()).resolves.toBe(app)
  })
})

describe('a wrong route', () => {
  test.each<HTTPMethods | HTTPMethods[]>(['POST', 'DELETE', ['POST'], ['GET', 'POST'], 'HEAD', ['HEAD']])(
    '{ websocket: true } for %s throws when it is added',
    async (method) => {
      const app = await makeApp()
      expect(() => app.route({ method, url: '/echo', websocket: true, handler: echo })).toThrow(
        `Route /echo: a WebSocket endpoint needs the method GET; got ${[method].flat().join(', ')}`
      )
    }
  )

  test('app.post() and app.all() with websocket throw when they are called', async () => {
    const app = await makeApp()
    expect(() => app.post('/echo', { websocket: true }, echo)).toThrow('needs the method GET; got POST')
    expect(() => app.all('/echo', { websocket: true }, echo)).toThrow('needs the method GET; got ')
  })

  test('wsHandler for POST throws when it is added', async () => {
    const app = await makeApp()
    const route = { method: 'POST' as const, url: '/live', handler: async () => 'page', wsHandler: echo }
    expect(() => app.route(route)).toThrow('Route /live: a WebSocket endpoint needs the method GET; got POST')
  })

  test.each([
    [true, 'true'],
    ['echo', "'echo'"],
    [{}, '[object Object]'],
    [null, 'null'],
    [Object.create(null), '[object Object]']
  ])('wsHandler that is %p throws when it is added', async (wsHandler, shown) => {
    const app = await makeApp()
    const route = { method: 'GET' as const, url: '/live', handler: async () => 'page', wsHandler }
    expect(() => app.route(route as never)).toThrow(
      `Route /live: wsHandler must be a function (socket, request) => …; got ${shown}`
    )
  })

  test.each([
    [
      'an unknown name',
      { subprotocol: ['chat'] },
      /^Route \/echo: websocket: unknown option 'subprotocol'; did you mean subprotocols\?$/
    ],
    ['a malformed name of a subprotocol', { subprotocols: ['a b'] }, /subprotocols: expected names/],
    ['an origin with a path', { allowedOrigins: ['https://a.example/chat'] }, /allowedOrigins: expected an origin/]
  ])('with wrong options throws when it is added: %s', async (_what, websocket, message) => {
    const app = await makeApp()
    const add = () => app.get('/echo', { websocket: websocket as EndpointOptions }, echo)
    expect(add).toThrow(message)
  })

  test.each(['yes', 1, []])('with %p for websocket throws when it is added', async (websocket) => {
    const app = await makeApp()
    expect(() => app.get('/echo', { websocket } as never, echo as never)).toThrow(/^Route \/echo: websocket.*; got ./)
  })

  test('throws from the plugin that adds it', async () => {
    const app = await makeApp()
    void app.register(scoped((scope) => scope.post('/echo', { websocket: true }, echo)))
    await expect(app.ready()).rejects.toThrow('Route /echo: a WebSocket endpoint needs the method GET; got POST')
  })
})
