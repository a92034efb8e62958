import { once } from 'node:events'
import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'
import { certificate, closed, handshake, refused, sendRaw, signal, takePrinted } from '@oneport/test-kit'
import type { NextFunction, Request, Response } from 'express'
import type { RawData } from 'ws'
import type { WebSocket } from '../../src/index.ts'
import { ask, useServers } from '../servers.ts'
import { both, load, ours } from './libraries.ts'

const { serve, connect } = useServers()

const echo = (ws: WebSocket): void => {
  ws.on('message', (message) => ws.send(message))
}

const get = (path: string, fields = ''): string =>
  `GET ${path} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n${fields}\r\n`

declare global {
  namespace Express {
    interface Request {
      testing?: string
      world?: string
      ws?: WebSocket
    }
  }
}

describe.each(both)(
  'An example from the README of express-ws works with %s:',
  (_name, { express, expressWs }, loadAgain) => {
    test('an echo that answers text with text', async () => {
      const app = express()
      const { app: withWs } = expressWs(app)
      withWs.ws('/echo', echo)
      const { socket } = await connect(await serve(app), '/echo')
      const answers: [RawData, boolean][] = []
      socket.on('message', (data, isBinary) => answers.push([data, isBinary]))
      socket.send('text')
      socket.send(Buffer.from([1, 2]))
      while (answers.length < 2) await once(socket, 'message')
      expect(answers).toEqual([
        [Buffer.from('text'), false],
        [Buffer.from([1, 2]), true]
      ])
    })

    test('an ordinary route and a WebSocket at one path, with the same middleware', async () => {
      const app = express()
      const { app: withWs } = expressWs(app)
      app.use((req: Request, _res: Response, next: NextFunction) => {
        req.testing = 'testing'
        return next()
      })
      app.get('/', (req: Request, res: Response) => res.end(`get route ${req.testing}`))
      withWs.ws('/', (ws, req) => ws.send(`socket ${req.testing}`))
      const target = await serve(app)
      const { next } = await connect(target, '/')
      expect(await next()).toBe('socket testing')
      expect((await sendRaw(target, get('/'))).rest).toContain('get route testing')
    })

    test('parameters, and a handler that calls next() at the end', async () => {
      const app = express()
      const { app: withWs } = expressWs(app)
      app.param('world', (req, _res, next, world) => {
        req.world = world
        return next()
      })
      app.get('/hello/:world', (req, res) => void res.end(`get ${req.world}`))
      withWs.ws('/hello/:world', (ws, req, next) => {
        echo(ws)
        ws.send(`socket hello ${req.world} ${req.params.world} ${req.query.as}`)
        next()
      })
      const target = await serve(app)
      const client = await connect(target, '/hello/ada?as=admin')
      expect(await client.next()).toBe('socket hello ada ada admin')
      expect(await ask(client, 'still open')).toBe('still open')
      expect((await sendRaw(target, get('/hello/ada'))).rest).toContain('get ada')
    })

    test('a broadcast to getWss().clients, and an application taken from the instance', async () => {
      const instance = expressWs(express())
      const { app } = instance
      app.ws('/a', () => {})
      app.ws('/b', () => {})
      const wss = instance.getWss()
      const target = await serve(app)
      const [a, b] = [await connect(target, '/a'), await connect(target, '/b')]
      for (const client of wss.clients) client.send('hello')
      expect([await a.next(), await b.next()]).toEqual(['hello', 'hello'])
      expect(wss.clients.size).toBe(2)
      const left = [...wss.clients].map((client) => once(client, 'close'))
      a.socket.close()
      b.socket.close()
      await Promise.all(left)
      expect(wss.clients.size).toBe(0)
    })

    test('a server passed in, with TLS', async () => {
      const { key, cert } = await certificate()
      const app = express()
      const server = https.createServer({ key, cert }, app)
      const { app: withWs } = expressWs(app, server)
      withWs.ws('/', (ws) => ws.send('secure'))
      const { next } = await connect(await serve(server as never), '/')
      expect(await next()).toBe('secure')
    })

    test('a server with another listener for ordinary requests', async () => {
      const app = express()
      const server = http.createServer((_req, res) => res.end('not the application'))
      const { app: withWs } = expressWs(app, server)
      withWs.ws('/', (ws) => ws.send('the application'))
      const target = await serve(server)
      expect(await (await connect(target, '/')).next()).toBe('the application')
      expect((await sendRaw(target, get('/'))).rest).toContain('not the application')
    })

    test('a router that applyTo() was called for, and no other one', async () => {
      const { express, expressWs } = loadAgain()
      const app = express()
      const { applyTo } = expressWs(app, undefined, { leaveRouterUntouched: true })
      const router = express.Router()
      expect(router.ws).toBeUndefined()
      applyTo(router)
      router.ws('/echo', echo)
      app.use('/ws-stuff', router)
      expect(await ask(await connect(await serve(app), '/ws-stuff/echo'), 'hello')).toBe('hello')
    })

    test('chained calls of ws', async () => {
      const app = express()
      const { app: withWs } = expressWs(app)
      withWs.ws('/a', (ws) => ws.send('a')).ws('/b', (ws) => ws.send('b'))
      const target = await serve(app)
      expect(await (await connect(target, '/b')).next()).toBe('b')
    })

    test('handlers that pass a socket on, now or later', async () => {
      const app = express()
      const { app: withWs } = expressWs(app)
      withWs.ws(
        '/chain',
        (ws, _req, next) => {
          ws.send('first')
          setImmediate(next)
        },
        (ws) => ws.send('second')
      )
      withWs.ws('/chain', (ws) => ws.send('never'))
      const { next, socket } = await connect(await serve(app), '/chain')
      expect([await next(), await next()]).toEqual(['first', 'second'])
      socket.close()
      expect((await closed(socket)).code).toBe(1005)
    })

    test('two routes at one path, where the first one passes on', async () => {
      const app = express()
      const { app: withWs } = expressWs(app)
      withWs.ws('/two', (ws, _req, next) => {
        ws.send('first')
        next()
      })
      withWs.ws('/two', (ws) => ws.send('second'))
      const { next } = await connect(await serve(app), '/two')
      expect([await next(), await next()]).toEqual(['first', 'second'])
    })

    test("getWss().on('connection'), after the handlers, with socket and request", async () => {
      const instance = expressWs(express())
      instance.app.ws('/news', (ws) => ws.send('handler'))
      instance.getWss().on('connection', (ws, req) => ws.send(`listener ${req.headers.host} ${req.ws === ws}`))
      const { next } = await connect(await serve(instance.app), '/news', [], { headers: { Host: 'a.example' } })
      expect([await next(), await next()]).toEqual(['handler', 'listener a.example true'])
    })

    test('the reason of a close, as a string', async () => {
      const instance = expressWs(express())
      const ended = signal<unknown[]>()
      instance.app.ws('/', (ws) => void ws.on('close', (...args) => ended.give(args)))
      const { socket } = await connect(await serve(instance.app), '/')
      socket.close(4000, 'enough')
      expect(await ended.given).toEqual([4000, 'enough'])
    })

    test('onmessage, for text and for bytes', async () => {
      const instance = expressWs(express())
      instance.app.ws('/', (ws) => {
        ws.onmessage = ({ data }) => ws.send(typeof data === 'string' ? `text ${data}` : `bytes ${data}`)
      })
      const client = await connect(await serve(instance.app), '/')
      expect(await ask(client, 'a')).toBe('text a')
      client.socket.send(Buffer.from('b'))
      expect(await client.next()).toBe('bytes b')
    })

    test('error middleware for what a handler throws; its answer is not sent', async () => {
      // Outside of tests, Express prints what error middleware throws.
      const app = express().set('env', 'production')
      const { app: withWs } = expressWs(app)
      const caught = signal<unknown>()
      withWs.ws('/', () => {
        throw new Error('broken')
      })
      app.use((error: unknown, _req: Request, res: Response, _next: NextFunction) => {
        caught.give(error)
        res.status(500).json({ message: 'broken' })
      })
      const { socket } = await connect(await serve(app), '/')
      await closed(socket)
      expect(await caught.given).toEqual(new Error('broken'))
    })

    test('an existing method ws stays as it is', () => {
      const app = express() as ReturnType<typeof express> & { ws: string }
      app.ws = 'mine'
      expressWs(app)
      expect(app.ws).toBe('mine')
    })

    test('getWss().close() ends the connections and calls back, each time', async () => {
      const instance = expressWs(express())
      instance.app.ws('/', () => {})
      const target = await serve(instance.app)
      const { socket } = await connect(target, '/')
      const ended = closed(socket)
      await new Promise<void>((resolve) => instance.getWss().close(() => resolve()))
      expect((await ended).code).toBe(1006)
      await new Promise<void>((resolve) => instance.getWss().close(() => resolve()))
      expect(await refused(connect(target, '/'))).toBe(404)
    })
  }
)

describe.each(both.filter(([name]) => name !== 'the real one, Express 5'))(
  // With Express 5, express-ws patches an object from which routers inherit nothing.
  'Routers have their own ws with %s:',
  (_name, { express, expressWs }) => {
    test('a mounted router', async () => {
      const app = express()
      expressWs(app)
      const router = express.Router()
      router.ws('/echo', echo)
      router.get('/echo', (_req, res) => void res.end('ordinary'))
      app.use('/ws-stuff', router)
      const target = await serve(app)
      expect(await ask(await connect(target, '/ws-stuff/echo'), 'hello')).toBe('hello')
      expect((await sendRaw(target, get('/ws-stuff/echo'))).rest).toContain('ordinary')
    })
  }
)

describe.each(ours)('What improves with %s:', (_name, { express, expressWs }) => {
  test('middleware that refuses answers the handshake', async () => {
    const instance = expressWs(express())
    instance.app.use((_req, res, next) => {
      if (_req.get('Authorization') === 'letmein') next()
      else res.set('WWW-Authenticate', 'Basic').status(401).send('Log in first.')
    })
    const connections: unknown[] = []
    instance.getWss().on('connection', (ws) => connections.push(ws))
    instance.app.ws('/news', (ws) => ws.send('news'))
    const target = await serve(instance.app)
    const response: IncomingMessage = await connect(target, '/news').catch((refusal) => refusal)
    expect([response.statusCode, response.headers['www-authenticate']]).toEqual([401, 'Basic'])
    response.resume()
    expect(connections).toEqual([])
    const { next } = await connect(target, '/news', [], { headers: { Authorization: 'letmein' } })
    expect(await next()).toBe('news')
  })

  test('header fields set by middleware are on the 101', async () => {
    const { app } = expressWs(express())
    app.use((_req, res, next) => {
      res.cookie('visited', 'yes')
      next()
    })
    app.ws('/', () => {})
    const { response } = await connect(await serve(app), '/')
    expect(response.headers['set-cookie']).toEqual(['visited=yes; Path=/'])
  })

  test('an unknown path is 404, and the page shows it as the client sent it', async () => {
    const instance = expressWs(express())
    instance.app.ws('/news', () => {})
    const { status, rest } = await sendRaw(await serve(instance.app), handshake('/nowhere'))
    expect(status).toBe(404)
    expect(rest).toContain('Cannot GET /nowhere</pre>')
  })

  test('security: a page of another site gets 403, unless allowedOrigins allows it', async () => {
    const foreign = { origin: 'https://evil.example' }
    const instance = expressWs(express().set('env', 'test'))
    instance.app.ws('/', () => {})
    expect(await refused(connect(await serve(instance.app), '/', [], foreign))).toBe(403)
    expect(takePrinted()).toEqual([expect.stringContaining('HANDSHAKE_ORIGIN')])
    const open = expressWs(express(), undefined, { allowedOrigins: 'any' })
    open.app.ws('/', (ws) => ws.send('welcome'))
    expect(await (await connect(await serve(open.app), '/', [], foreign)).next()).toBe('welcome')
  })

  test('regression: error middleware that answers everything with 500 leaves a refusal as it is', async () => {
    const refusals: string[] = []
    const { app } = expressWs(express(), undefined, { onRefused: (error) => void refusals.push(error.code) })
    app.ws('/', () => {})
    const seen: unknown[] = []
    app.use((error: unknown, _req: Request, res: Response, _next: NextFunction) => {
      seen.push(error)
      res.status(500).json({ message: 'broken' })
    })
    const target = await serve(app)
    expect(await refused(connect(target, '/', [], { origin: 'https://evil.example' }))).toBe(403)
    const { status, fields } = await sendRaw(target, handshake('/', { 'Sec-WebSocket-Version': '7' }))
    expect([status, fields.get('sec-websocket-version')]).toEqual([426, ['13']])
    expect(refusals).toEqual(['HANDSHAKE_ORIGIN', 'HANDSHAKE_VERSION'])
    expect(seen).toEqual([])
  })

  test('messages wait for the last handler, and none is lost', async () => {
    const instance = expressWs(express())
    const heard: string[] = []
    const done = signal()
    instance.app.ws(
      '/',
      (_ws, _req, next) => void setTimeout(next, 50),
      async (ws) => {
        await new Promise((resolve) => setTimeout(resolve, 50))
        ws.on('message', (message) => {
          heard.push(`${typeof message} ${message}`)
          if (heard.length === 2) done.give()
        })
      }
    )
    const { socket } = await connect(await serve(instance.app), '/')
    socket.send('one')
    socket.send('two')
    await done.given
    expect(heard).toEqual(['string one', 'string two'])
  })

  test('security: the amount of text that waits for a listener is bounded', async () => {
    const instance = expressWs(express())
    const read = signal()
    const lengths: number[] = []
    instance.app.ws('/other', (ws) => ws.close())
    instance.app.ws(
      '/',
      (_ws, _req, next) => void read.given.then(() => next()),
      (ws) => {
        ws.on('message', (message) => lengths.push(String(message).length))
        ws.on('close', () => ws.emit('done'))
      }
    )
    const target = await serve(instance.app)
    const { socket } = await connect(target, '/')
    for (let count = 0; count < 3; count++) socket.send('x'.repeat(40_000))
    // By the time another connection has come and gone, the server has read all it is going to read.
    const other = await connect(target, '/other')
    await once(other.socket, 'close')
    read.give()
    const [ws] = instance.getWss().clients
    const done = once(ws as WebSocket, 'done')
    socket.close()
    await done
    expect(lengths).toEqual([40_000, 40_000, 40_000])
  })

  test.each([
    ['throws', () => Promise.resolve().then(() => Promise.reject(new Error('broken')))],
    ['passes an error on', (_ws: unknown, _req: unknown, next: NextFunction) => next(new Error('broken'))]
  ])('a handler that %s closes its own connection with 1011', async (_what, handler) => {
    const app = express()
    const instance = expressWs(app)
    instance.app.ws('/', handler)
    const caught = signal<unknown>()
    app.use((error: unknown, _req: Request, res: Response, _next: NextFunction) => {
      caught.give(error)
      res.status(500).send('broken')
    })
    const { socket } = await connect(await serve(app), '/')
    expect((await closed(socket)).code).toBe(1011)
    expect(await caught.given).toEqual(new Error('broken'))
  })

  test('a listener that throws closes its own connection with 1011, and does not end the process', async () => {
    const instance = expressWs(express(), undefined, { onError: () => {} })
    instance.app.ws('/', (ws) => {
      ws.on('message', () => {
        throw new Error('broken')
      })
    })
    const { socket } = await connect(await serve(instance.app), '/')
    socket.send('hello')
    expect((await closed(socket)).code).toBe(1011)
  })

  test('one application serves http and https', async () => {
    const { key, cert } = await certificate()
    const app = express()
    const [plain, secure] = [http.createServer(app), https.createServer({ key, cert }, app)]
    const instance = expressWs(app, plain)
    expect(expressWs(app, secure)).toBe(instance)
    instance.app.ws('/', echo)
    expect(await ask(await connect(await serve(plain), '/'), 'ws')).toBe('ws')
    expect(await ask(await connect(await serve(secure as never), '/'), 'wss')).toBe('wss')
    expect(instance.getWss().clients.size).toBe(2)
  })

  test('settings made after expressWs() apply', async () => {
    const app = express()
    const instance = expressWs(app)
    app.set('case sensitive routing', true)
    app.set('query parser', () => ({ parsed: 'by us' }))
    instance.app.ws('/News', (ws, req) => ws.send(String(req.query.parsed)))
    const target = await serve(app)
    expect(await refused(connect(target, '/news'))).toBe(404)
    expect(await (await connect(target, '/News?a=b')).next()).toBe('by us')
  })

  test('an application mounted in another one has its own WebSockets, and does not affect the others', async () => {
    const outer = express()
    const { app: inner } = expressWs(express())
    inner.get('/chat', (_req, res) => void res.send('ordinary'))
    inner.ws('/chat', (ws, req) => ws.send(`${req.originalUrl} ${req.baseUrl}`))
    outer.use('/old', inner)
    outer.get('/old/other', (req, res) => void res.send(`${req.url} ${req.originalUrl}`))
    const target = await serve(outer)
    expect(await (await connect(target, '/old/chat?x')).next()).toBe('/old/chat?x /old')
    const { rest } = await sendRaw(target, handshake('/old/other?x'))
    expect(rest).toContain('/old/other?x /old/other?x')
  })

  test('an optional parameter and a trailing slash', async () => {
    const instance = expressWs(express())
    const path = 'use' in express.Router ? '/room/:id?' : '/room{/:id}'
    instance.app.ws(path, (ws, req) => ws.send(`room ${req.params.id}`))
    const target = await serve(instance.app)
    expect(await (await connect(target, '/room')).next()).toBe('room undefined')
    expect(await (await connect(target, '/room/7/')).next()).toBe('room 7')
  })
})

describe.each(ours)('Wrong calls with %s:', (_name, { express, expressWs }) => {
  test.each<[string, unknown[], RegExp]>([
    ['a path that is not a string', [/news/, () => {}], /^ws: expected a path as a string; got \/news\/$/],
    ['a handler that is not a function', ['/news', [() => {}]], /^ws: expected handlers \(ws, req, next\)/],
    ['no handler', ['/news'], /^ws: expected handlers \(ws, req, next\) => …; got undefined/]
  ])('%s throws', (_what, args, message) => {
    const { app } = expressWs(express())
    expect(() => Reflect.apply(app.ws as (...args: never[]) => void, app, args)).toThrow(message)
  })

  test('options of a second call throw', () => {
    const app = express()
    expressWs(app)
    expect(() => expressWs(app, undefined, { maxPayloadBytes: 1 })).toThrow(/already has options/)
  })

  test.each([
    ['headers', /There is no event 'headers' here; use res\.set\(\) in middleware/],
    ['wsClientError', /use the option onRefused/]
  ])('a listener for %s throws', (event, message) => {
    const wss = expressWs(express()).getWss()
    expect(() => wss.on(event as 'close', () => {})).toThrow(message)
  })

  test.each(['toString', 'constructor', '__proto__'])('regression: a listener for %s does not throw', (event) => {
    const wss = expressWs(express()).getWss()
    expect(() => wss.on(event as 'close', () => {})).not.toThrow()
  })
})

describe.each(both.filter(([name]) => name.startsWith('the real one')))(
  'docs/moving-from-express-ws.md is right about %s:',
  (name, { express, expressWs }) => {
    test('it closes what no route accepts without a code, and logs it', async () => {
      const instance = expressWs(express())
      const told = signal()
      instance.getWss().on('connection', () => told.give())
      const { socket } = await connect(await serve(instance.app), '/nowhere')
      expect((await closed(socket)).code).toBe(1005)
      await told.given
    })

    test('routers have ws on Express 4 only', () => {
      expressWs(express())
      expect(typeof express.Router().ws).toBe(name.endsWith('4') ? 'function' : 'undefined')
    })

    test('originalUrl ends in /.websocket', async () => {
      const { app } = expressWs(express())
      app.ws('/chat', (ws, req) => ws.send(`${req.originalUrl} ${req.url}`))
      const { next } = await connect(await serve(app), '/chat')
      expect(await next()).toBe('/chat/.websocket /chat/.websocket')
    })

    test('an error without error middleware leaves the socket open', async () => {
      const { app } = expressWs(express())
      app.ws('/', (ws, _req, next) => {
        echo(ws)
        next(new Error('broken'))
      })
      expect(await ask(await connect(await serve(app), '/'), 'still open')).toBe('still open')
    })

    test('a 404 after the last next() closes the socket', async () => {
      const app = express()
      expressWs(app).app.ws('/', (_ws, _req, next) => next())
      app.use((_req: Request, res: Response) => void res.status(404).send())
      const { socket } = await connect(await serve(app), '/')
      expect((await closed(socket)).code).toBe(1005)
    })

    test('version 8 is accepted', async () => {
      const { app } = expressWs(express())
      app.ws('/', (ws) => ws.send('old'))
      const { next } = await connect(await serve(app), '/', [], { protocolVersion: 8 })
      expect(await next()).toBe('old')
    })
  }
)

test.each(ours)('A 404 after the last next() leaves the socket of %s open', async (_name, { express, expressWs }) => {
  const app = express().set('env', 'production')
  expressWs(app).app.ws('/', (ws, _req, next) => {
    echo(ws)
    next()
  })
  app.use((_req: Request, res: Response) => void res.status(404).send())
  expect(await ask(await connect(await serve(app), '/'), 'still open')).toBe('still open')
})

test('express-ws does not match a path of Express 4 without its optional parameter, as the page says', async () => {
  const { express, expressWs } = load('the real one', 'Express 4')
  const { app } = expressWs(express())
  app.ws('/room/:id?', (ws, req) => ws.send(`room ${req.params.id}`))
  const target = await serve(app)
  expect(await (await connect(target, '/room/7')).next()).toBe('room 7')
  const { socket } = await connect(target, '/room')
  expect((await closed(socket)).code).toBe(1005)
})
