import { connect, expectRefused } from '@oneport/testing'
import { every, except, some } from 'hono/combine'
import { createMiddleware } from 'hono/factory'
import { acceptWebSocket, isWebSocketRequest, renew, webSocket } from '../src/index.ts'
import { serving } from './serving.ts'
import { versions } from './versions.ts'

describe.each(versions)('%s', (_name, version) => {
  const { Hono } = version

  const requireUser = createMiddleware<{ Variables: { user: string } }>(async (c, next) => {
    const user = c.req.header('Authorization')
    if (user === undefined) return c.text('Log in first.', 401, { 'WWW-Authenticate': 'Basic' })
    c.set('user', user)
    return next()
  })
  const headers = { Authorization: 'Ada' }

  test('webSocket() calls its handler with the socket and the context', async () => {
    const app = new Hono()
    app.get(
      '/chat/:room',
      requireUser,
      webSocket({ subprotocols: ['chat.v1'] }, (socket, c) => {
        socket.send(`${c.get('user')} in ${c.req.param('room')} with ${c.req.query('as')} by ${socket.protocol}`)
      })
    )
    const { server } = serving(version, app)
    const client = await connect(server, '/chat/lobby?as=guest', { headers, subprotocols: ['chat.v1'] })
    expect(await client.next()).toBe('Ada in lobby with guest by chat.v1')
    expect(client.response.status).toBe(101)
    const refused = await expectRefused(server, '/chat/lobby')
    expect([refused.status, refused.body, refused.headers['www-authenticate']]).toEqual([401, 'Log in first.', 'Basic'])
  })

  test('acceptWebSocket() takes options that depend on the request', async () => {
    const app = new Hono()
    app.get('/news', requireUser, async (c) => {
      const key = c.get('user')
      return acceptWebSocket(c, { key, expiresAt: Date.now() + 60_000 }, (socket) => {
        if (key === 'Eve') renew(socket, Date.now() + 50)
      })
    })
    const { server, websockets } = serving(version, app)
    const ada = await connect(server, '/news', { headers })
    const eve = await connect(server, '/news', { headers: { Authorization: 'Eve' } })
    expect((await eve.closed).code).toBe(4401)
    expect(websockets.connectionsOf('Ada').size).toBe(1)
    expect(websockets.revoke('Ada')).toBe(1)
    expect((await ada.closed).code).toBe(4401)
  })

  test('acceptWebSocket() works without options', async () => {
    const app = new Hono()
    app.get('/', (c) => acceptWebSocket(c, (socket) => socket.send('hello')))
    expect(await (await connect(serving(version, app).server, '/')).next()).toBe('hello')
  })

  test('options of attach() are defaults for all routes', async () => {
    const app = new Hono()
    app.get(
      '/both',
      webSocket(() => {})
    )
    app.get(
      '/one',
      webSocket({ subprotocols: ['v2'] }, () => {})
    )
    const { server } = serving(version, app, { subprotocols: ['v1', 'v2'] })
    const subprotocols = ['v1', 'v2']
    expect((await connect(server, '/both', { subprotocols })).subprotocol).toBe('v1')
    expect((await connect(server, '/one', { subprotocols })).subprotocol).toBe('v2')
  })

  test('effectiveRequest says what a trusted proxy forwards', async () => {
    const app = new Hono()
    app.get(
      '/',
      webSocket((socket) => socket.send('hello'))
    )
    const { server } = serving(version, app, {
      effectiveRequest: ({ headers }) => ({
        host: String(headers['x-forwarded-host']),
        address: String(headers['x-from'])
      }),
      maxConnectionsPerAddress: 1,
      onRefused: () => {}
    })
    const from = (address: string, host = 'app.example') => ({
      origin: 'https://app.example',
      headers: { 'X-From': address, 'X-Forwarded-Host': host }
    })
    await connect(server, '/', from('192.0.2.1'))
    await connect(server, '/', from('192.0.2.2'))
    expect((await expectRefused(server, '/', from('192.0.2.1'))).status).toBe(429)
    expect((await expectRefused(server, '/', from('192.0.2.3', 'other.example'))).status).toBe(403)
  })

  test('one client cannot take all places for pending handshakes', async () => {
    const app = new Hono()
    let proceed = (): void => {}
    const waiting = new Promise<void>((resolve) => {
      proceed = resolve
    })
    app.use(async (_c, next) => {
      await waiting
      return next()
    })
    app.get(
      '/',
      webSocket(() => {})
    )
    const { server } = serving(version, app, { maxPendingHandshakesPerAddress: 2, onRefused: () => {} })
    const clients = [connect(server, '/'), connect(server, '/')]
    expect((await expectRefused(server, '/')).status).toBe(429)
    proceed()
    await Promise.all(clients)
  })

  test('a path can have a page and an endpoint', async () => {
    const app = new Hono()
    app.get(
      '/chat',
      (c, next) => (isWebSocketRequest(c) ? next() : c.html('<p>The page</p>')),
      webSocket((socket) => socket.send('hello'))
    )
    const { server } = serving(version, app)
    expect(await (await connect(server, '/chat')).next()).toBe('hello')
    expect(await (await app.request('/chat')).text()).toBe('<p>The page</p>')
  })

  const echoPath = webSocket((socket, c) => socket.send(`${c.req.path} of ${c.req.param('id')}`))

  test.each<[how: string, path: string, build: (app: InstanceType<typeof Hono>) => unknown]>([
    ['app.route()', '/api/feed/7', (app) => app.route('/api', new Hono().get('/feed/:id', echoPath))],
    ['basePath()', '/api/feed/7', (app) => app.basePath('/api').get('/feed/:id', echoPath)],
    ["app.use('*')", '/feed/7', (app) => app.use('*', (_c, next) => next()).get('/feed/:id', echoPath)],
    ['app.use() with a path', '/feed/7', (app) => app.use('/feed/:id', echoPath)],
    ['app.on()', '/feed/7', (app) => app.on(['GET'], ['/feed/:id'], echoPath)],
    ['app.all()', '/feed/7', (app) => app.all('/feed/:id', echoPath)],
    ['every()', '/feed/7', (app) => app.use(every((_c, next) => next(), requireUser)).get('/feed/:id', echoPath)],
    ['some()', '/feed/7', (app) => app.use(some(refuse, requireUser)).get('/feed/:id', echoPath)],
    ['except()', '/feed/7', (app) => app.use(except('/feed/*', refuse)).get('/feed/:id', echoPath)]
  ])('%s leads to an endpoint', async (_how, path, build) => {
    const app = new Hono()
    build(app)
    const { server } = serving(version, app)
    expect(await (await connect(server, path, { headers })).next()).toBe(`${path} of 7`)
  })

  const refuse = async (): Promise<void> => {
    throw new Error('refused')
  }

  test('app.mount() leads to an endpoint of another application', async () => {
    const inner = new Hono().get('/feed/:id', echoPath)
    const app = new Hono()
    app.mount('/inner', inner.fetch)
    const { server } = serving(version, app)
    expect(await (await connect(server, '/inner/feed/7')).next()).toBe('/feed/7 of 7')
  })

  test('the environment of an application can have more than the exchange', async () => {
    const app = new Hono<{ Bindings: { name: string } }>()
    app.get(
      '/',
      webSocket((socket, c) => socket.send(c.env.name))
    )
    const { server } = serving(version, { fetch: (request, env) => app.fetch(request, { ...env, name: 'Oneport' }) })
    expect(await (await connect(server, '/')).next()).toBe('Oneport')
  })

  test('the signal of the request is not aborted by an accepted handshake', async () => {
    const signals: AbortSignal[] = []
    const app = new Hono()
    app.get('/', (c) => {
      signals.push(c.req.raw.signal)
      return acceptWebSocket(c, (socket) => socket.send('hello'))
    })
    const { server } = serving(version, app)
    const client = await connect(server, '/')
    await client.next()
    await client.close()
    expect(signals.map(({ aborted }) => aborted)).toEqual([false])
  })

  test.each<[call: string, message: string, run: () => unknown]>([
    [
      'a misspelt option',
      "webSocket: unknown option 'subprotocol'; did you mean subprotocols?",
      () => webSocket({ subprotocol: ['v1'] } as object, () => {})
    ],
    [
      'no handler',
      'webSocket: expected a handler (socket, c) => …; got undefined',
      () => webSocket({}, undefined as never)
    ],
    [
      'options instead of a handler',
      'webSocket: expected a handler (socket, c) => …; got [object Object]',
      () => webSocket({ subprotocols: ['v1'] } as never)
    ]
  ])('webSocket() throws at once for %s', (_call, message, run) => {
    expect(run).toThrow(new TypeError(message))
  })
})
