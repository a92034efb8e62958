import { handshake, headArrived, refused, sendRaw } from '@oneport/test-kit'
import type { ErrorRequestHandler, Express } from 'express'
import { acceptWebSocket, type HandshakeError, type WsUpgradeOptions, wsUpgrade } from '../src/index.ts'
import { ask, echo, say, useServers } from './servers.ts'
import { versions } from './versions.ts'

const { serve, connect } = useServers()

/** The first message from an endpoint. */
async function read(app: Express, path: string): Promise<string> {
  const { next } = await connect(await serve(app), path)
  return next()
}

describe.each(versions)('An endpoint in %s', (_name, express) => {
  test('gets the parameters of its path, decoded, and the query', async () => {
    const app = express()
    app.use(wsUpgrade())
    app.get('/chat/:room', (req, res) =>
      acceptWebSocket(req, res, (socket) => socket.send(JSON.stringify([req.params.room, req.query])))
    )
    expect(JSON.parse(await read(app, '/chat/a%2Fb%20c?x=1&x=2'))).toEqual(['a/b c', { x: ['1', '2'] }])
  })

  test("gives its handler the route's own request", async () => {
    const app = express()
    app.use(wsUpgrade())
    app.get('/chat/:room', (req, res) =>
      acceptWebSocket(req, res, (socket, request) => socket.send(`${request === req} ${request.params.room}`))
    )
    expect(await read(app, '/chat/tea')).toBe('true tea')
  })

  test('still has its parameters when a message arrives', async () => {
    const app = express()
    app.use(wsUpgrade())
    app.get('/chat/:room', (req, res) =>
      acceptWebSocket(req, res, (socket) => {
        socket.on('message', (data) => socket.send(`${req.params.room}: ${data}`))
      })
    )
    expect(await ask(await connect(await serve(app), '/chat/tea'), 'hello')).toBe('tea: hello')
  })

  test('works in a mounted router, after its middleware', async () => {
    const app = express()
    const router = express.Router()
    router.use((_req, res, next) => {
      res.set('X-Router', 'rooms')
      next()
    })
    router.get('/:room', (req, res) =>
      acceptWebSocket(req, res, (socket) => socket.send(`${req.baseUrl} ${req.params.room} ${req.originalUrl}`))
    )
    app.use(wsUpgrade())
    app.use('/rooms', router)
    const { response, next } = await connect(await serve(app), '/rooms/tea?x=1')
    expect(response.headers['x-router']).toBe('rooms')
    expect(await next()).toBe('/rooms tea /rooms/tea?x=1')
  })

  test('works in nested routers, with the parameters of all of them', async () => {
    const app = express()
    const outer = express.Router({ mergeParams: true })
    const inner = express.Router({ mergeParams: true })
    inner.get('/:room', (req, res) =>
      acceptWebSocket(req, res, (socket) => socket.send(JSON.stringify({ ...req.params })))
    )
    outer.use('/houses/:house', inner)
    app.use(wsUpgrade())
    app.use('/towns/:town', outer)
    expect(JSON.parse(await read(app, '/towns/ulm/houses/9/tea'))).toEqual({ town: 'ulm', house: '9', room: 'tea' })
  })

  test('is refused by the middleware of a router in front of it, with the answer of that router', async () => {
    const app = express()
    const router = express.Router()
    router.use((_req, res) => void res.status(401).json({ error: 'Log in first' }))
    router.get('/', (req, res) => acceptWebSocket(req, res, echo))
    app.use(wsUpgrade())
    app.use('/chat', router)
    const response = await sendRaw(await serve(app), handshake('/chat'))
    expect(response.status).toBe(401)
    expect(JSON.parse(response.rest)).toEqual({ error: 'Log in first' })
  })

  test('waits for app.param(), which loads what the parameter names or refuses it', async () => {
    const app = express()
    app.use(wsUpgrade())
    app.param('room', (_req, res, next, name: string) => {
      setImmediate(() => {
        if (name === 'tea') res.locals.title = 'The tea room'
        next(name === 'tea' ? undefined : Object.assign(new Error(`No room ${name}`), { status: 404 }))
      })
    })
    app.get('/chat/:room', (req, res) => acceptWebSocket(req, res, say(String(res.locals.title))))
    const target = await serve(app)
    expect(await (await connect(target, '/chat/tea')).next()).toBe('The tea room')
    expect(await refused(connect(target, '/chat/coffee'))).toBe(404)
  })

  test('can share its path with ordinary routes', async () => {
    const app = express()
    app.use(wsUpgrade())
    app.get('/page', (req, res, next) => {
      if (req.get('Upgrade') === undefined) next()
      else void acceptWebSocket(req, res, echo)
    })
    app.get('/page', (_req, res) => void res.send('page'))
    const target = await serve(app)
    expect(await ask(await connect(target, '/page'), 'hello')).toBe('hello')
    const page = await sendRaw(target, 'GET /page HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n')
    expect(page.rest).toBe('page')
  })

  describe('of a sub-application', () => {
    const endpoint = (sub: Express) => sub.get('/chat/:room', (req, res) => acceptWebSocket(req, res, echo))

    const places: [string, (app: Express, sub: Express) => void][] = [
      [
        'wsUpgrade() in the sub-application before it is mounted',
        (app, sub) => {
          sub.use(wsUpgrade())
          endpoint(sub)
          app.use('/sub', sub)
        }
      ],
      [
        'wsUpgrade() in the sub-application after it is mounted',
        (app, sub) => {
          app.use('/sub', sub)
          sub.use(wsUpgrade())
          endpoint(sub)
        }
      ],
      [
        'wsUpgrade() in the root only, before the sub-application',
        (app, sub) => {
          endpoint(sub)
          app.use(wsUpgrade())
          app.use('/sub', sub)
        }
      ],
      [
        'wsUpgrade() in both, and one middleware for both',
        (app, sub) => {
          const websockets = wsUpgrade()
          app.use(websockets)
          sub.use(websockets, wsUpgrade())
          endpoint(sub)
          app.use('/sub', sub)
        }
      ],
      [
        'wsUpgrade() after the sub-application that has the endpoint',
        (app, sub) => {
          endpoint(sub)
          app.use('/sub', sub)
          app.use(wsUpgrade())
        }
      ]
    ]

    test.each(places)('works with %s', async (_where, build) => {
      const app = express()
      build(app, express())
      expect(await ask(await connect(await serve(app), '/sub/chat/tea'), 'hello')).toBe('hello')
    })

    test.each([
      ['from the inside out', true],
      ['from the outside in', false]
    ])('works two levels down, mounted %s', async (_order, insideOut) => {
      const [app, middle, sub] = [express(), express(), express()]
      sub.use(wsUpgrade())
      endpoint(sub)
      const mountings = [() => middle.use('/b', sub), () => app.use('/a', middle)]
      for (const mount of insideOut ? mountings : mountings.reverse()) mount()
      expect(await ask(await connect(await serve(app), '/a/b/chat/tea'), 'hello')).toBe('hello')
    })

    test('works in two applications that share it, each on its own server', async () => {
      const sub = express()
      const websockets = wsUpgrade()
      sub.use(websockets)
      endpoint(sub)
      const apps = [express(), express()]
      for (const app of apps) app.use('/sub', sub)
      for (const app of apps) {
        expect(await ask(await connect(await serve(app), '/sub/chat/tea'), 'hello')).toBe('hello')
      }
      expect(websockets.connections.size).toBe(2)
    })

    test('passes a refusal to the error middleware of the root', async () => {
      const errorPage: ErrorRequestHandler = (error: HandshakeError, _req, res, _next) => {
        res.status(error.status).send(`root: ${error.code}`)
      }
      const [app, sub] = [express(), express()]
      sub.use(wsUpgrade({ onRefused: () => {} }))
      endpoint(sub)
      app.use('/sub', sub)
      app.use(errorPage)
      const response = await sendRaw(await serve(app), handshake('/sub/chat/tea', { Origin: 'https://evil.example' }))
      expect(response.status).toBe(403)
      expect(response.rest).toBe('root: HANDSHAKE_ORIGIN')
    })
  })
})

describe.each(versions)("app.use('/echo', wsUpgrade(options, handler)) in %s", (_name, express) => {
  function makeApp(): Express {
    const app = express()
    app.use('/echo', wsUpgrade({ subprotocols: ['chat'] }, echo))
    return app
  }

  test.each(['/echo', '/echo/', '/echo?x=1', '/echo/?x=1'])('serves an endpoint at %s', async (path) => {
    const client = await connect(await serve(makeApp()), path, ['chat'])
    expect(client.socket.protocol).toBe('chat')
    expect(await ask(client, 'hello')).toBe('hello')
  })

  test.each(['/echo/sub', '/echo/sub/', '/echoes', '/'])('serves nothing at %s', async (path) => {
    expect(await refused(connect(await serve(makeApp()), path))).toBe(404)
  })

  test.each([
    ['GET', '/echo', 426],
    ['GET', '/echo?x=1', 426],
    ['HEAD', '/echo', 426],
    ['POST', '/echo', 405],
    ['GET', '/echo/sub', 404]
  ])('answers an ordinary %s %s with %i', async (method, path, status) => {
    const target = await serve(makeApp())
    const bytes = `${method} ${path} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`
    const response = await sendRaw(target, bytes)
    expect(response.status).toBe(status)
    expect(response.fields.get('upgrade')).toEqual(status === 426 ? ['websocket'] : undefined)
    expect(response.fields.get('allow')).toEqual(status === 405 ? ['GET'] : undefined)
  })

  test('lets routes below it be ordinary routes and endpoints', async () => {
    const app = makeApp()
    app.get('/echo/page', (_req, res) => void res.send('page'))
    app.get('/echo/:room', (req, res) => acceptWebSocket(req, res, say(req.params.room)))
    const target = await serve(app)
    expect((await sendRaw(target, handshake('/echo/page'))).rest).toBe('page')
    expect(await (await connect(target, '/echo/tea')).next()).toBe('tea')
  })

  test('accepts a handler alone, and gives it the parameters of the mount path', async () => {
    const app = express()
    app.use(
      '/rooms/:room/live',
      wsUpgrade((socket, req) => socket.send(JSON.stringify({ ...req.params })))
    )
    expect(JSON.parse(await read(app, '/rooms/tea/live'))).toEqual({ room: 'tea' })
  })

  test('works without a path, in a sub-application, and after middleware of the same call', async () => {
    const [app, sub] = [express(), express()]
    sub.use(wsUpgrade(say('sub')))
    app.use('/sub', sub)
    app.use(
      '/late',
      (_req, res, next) => {
        res.set('X-Before', 'yes')
        setImmediate(next)
      },
      wsUpgrade(say('late'))
    )
    app.use(wsUpgrade(say('root')))
    const target = await serve(app)
    expect(await (await connect(target, '/sub')).next()).toBe('sub')
    expect(await (await connect(target, '/')).next()).toBe('root')
    const late = await connect(target, '/late')
    expect(late.response.headers['x-before']).toBe('yes')
    expect(await late.next()).toBe('late')
    expect(await refused(connect(target, '/other'))).toBe(404)
  })
})

describe.each(versions)('The defaults of a wsUpgrade() in %s', (_name, express) => {
  const origins = { app: 'https://app.example', admin: 'https://admin.example', other: 'https://other.example' }
  const quiet: WsUpgradeOptions = { onRefused: () => {} }

  const status = async (app: Express, path: string, Origin: string) =>
    (await sendRaw(await serve(app), handshake(path, { Origin }), headArrived)).status

  test.each([
    ['/chat', 'app', 101],
    ['/chat', 'admin', 403],
    ['/admin/log', 'app', 403],
    ['/admin/log', 'admin', 101],
    ['/admin/open', 'other', 101],
    ['/admin/own', 'other', 101],
    ['/admin/own', 'admin', 403],
    ['/admin/one-line', 'admin', 101],
    ['/admin/one-line', 'app', 403],
    ['/admin-not', 'admin', 403]
  ] as const)(
    'apply to what follows it, and an endpoint takes precedence: %s, %s, %i',
    async (path, origin, expected) => {
      const app = express()
      app.use(wsUpgrade({ ...quiet, allowedOrigins: [origins.app] }))
      app.get('/chat', (req, res) => acceptWebSocket(req, res, echo))
      app.use('/admin', wsUpgrade({ allowedOrigins: [origins.admin] }))
      app.get('/admin/log', (req, res) => acceptWebSocket(req, res, { subprotocols: ['log'] }, echo))
      app.get('/admin/open', (req, res) => acceptWebSocket(req, res, { allowedOrigins: 'any' }, echo))
      app.get('/admin/own', (req, res) => acceptWebSocket(req, res, { allowedOrigins: [origins.other] }, echo))
      app.use('/admin/one-line', wsUpgrade({ subprotocols: ['line'] }, echo))
      app.get('/admin-not', (req, res) => acceptWebSocket(req, res, echo))
      expect(await status(app, path, origins[origin])).toBe(expected)
    }
  )

  test('come from an earlier wsUpgrade() if a deeper one leaves them out', async () => {
    const app = express()
    app.use(wsUpgrade({ ...quiet, allowedOrigins: [origins.app] }))
    app.use('/admin', wsUpgrade({ subprotocols: ['admin'] }))
    app.get('/admin', (req, res) => acceptWebSocket(req, res, echo))
    expect(await status(app, '/admin', origins.app)).toBe(101)
    expect(await status(app, '/admin', origins.admin)).toBe(403)
  })

  test('come from the nearest earlier wsUpgrade(), with three of them', async () => {
    const app = express()
    app.use(wsUpgrade({ ...quiet, allowedOrigins: 'any' }))
    app.use('/admin', wsUpgrade({ allowedOrigins: [origins.admin] }))
    app.use('/admin/log', wsUpgrade({ subprotocols: ['log'] }))
    app.get('/admin/log', (req, res) => acceptWebSocket(req, res, echo))
    expect(await status(app, '/admin/log', origins.admin)).toBe(101)
    expect(await status(app, '/admin/log', origins.other)).toBe(403)
  })

  test('apply if an endpoint sets an option to undefined', async () => {
    const app = express()
    app.use(wsUpgrade({ ...quiet, allowedOrigins: 'any' }))
    app.use('/admin', wsUpgrade({ allowedOrigins: [origins.admin] }))
    app.get('/admin', (req, res) => acceptWebSocket(req, res, { allowedOrigins: undefined }, echo))
    expect(await status(app, '/admin', origins.other)).toBe(403)
  })

  test('security: of a one-line endpoint apply to that endpoint alone', async () => {
    const app = express()
    app.use('/feed', wsUpgrade({ ...quiet, allowedOrigins: 'any' }, echo))
    app.get('/chat', (req, res) => acceptWebSocket(req, res, echo))
    expect(await status(app, '/feed', origins.other)).toBe(101)
    expect(await status(app, '/chat', origins.other)).toBe(403)
  })

  test('security: of a sub-application that is mounted first do not apply to the rest of the application', async () => {
    const [app, open] = [express(), express()]
    open.use(wsUpgrade({ ...quiet, allowedOrigins: 'any' }))
    open.get('/feed', (req, res) => acceptWebSocket(req, res, echo))
    app.use('/open', open)
    app.use(wsUpgrade())
    app.get('/chat', (req, res) => acceptWebSocket(req, res, echo))
    expect(await status(app, '/open/feed', origins.other)).toBe(101)
    expect(await status(app, '/chat', origins.other)).toBe(403)
  })

  test('security: of one path do not apply to another path', async () => {
    const app = express()
    app.use('/open', wsUpgrade({ ...quiet, allowedOrigins: 'any' }))
    app.use('/closed', wsUpgrade())
    app.get(['/open', '/closed'], (req, res) => acceptWebSocket(req, res, echo))
    expect(await status(app, '/open', origins.other)).toBe(101)
    expect(await status(app, '/closed', origins.other)).toBe(403)
  })
})
