/**
 * The examples of koa-websocket 7.0.0 and its own tests, before the move and after it. Those with generator functions
 * need Koa 1. https://github.com/kudos/koa-websocket
 */
import { once } from 'node:events'
import type { Server } from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { certificate, handshake, headArrived, sendRaw } from '@oneport/test-kit'
import Koa from 'koa'
import route from 'koa-route'
import websockify from 'koa-websocket'
import { type WsUpgradeOptions, wsUpgrade } from '../../src/index.ts'
import { ask, close, echo, useServers } from '../servers.ts'

const { connect } = useServers()
let server: Server | undefined

afterEach(async () => {
  if (server !== undefined) await close(server)
  server = undefined
})

async function listening(started: Server): Promise<{ port: number; tls: boolean }> {
  server = started
  if (!started.listening) await once(started, 'listening')
  return { port: (started.address() as AddressInfo).port, tls: 'setSecureContext' in started }
}

/** The application of its tests: every route answers 123, two echo. */
function before(options?: Parameters<typeof websockify>[1]) {
  const app = websockify(new Koa(), options)
  app.ws.use((ctx, next) => {
    ctx.websocket.on('message', (message) => {
      if (String(message) === '123') ctx.websocket.send(message)
    })
    return next()
  })
  for (const path of ['/abc', '/def']) {
    app.ws.use(
      route.all(path, (ctx) => {
        const { websocket } = ctx as websockify.MiddlewareContext<object>
        websocket.on('message', (message) => websocket.send(message))
      })
    )
  }
  return app.listen(0)
}

function after(options?: WsUpgradeOptions) {
  const app = new Koa()
  app.use(wsUpgrade(options))
  for (const path of ['/abc', '/def']) app.use(route.get(path, (ctx) => ctx.acceptWebSocket(echo)))
  app.use((ctx) => {
    if (ctx.status === 101) return
    ctx.acceptWebSocket((socket) => {
      socket.on('message', (message) => {
        if (String(message) === '123') socket.send(message)
      })
    })
  })
  return app.listen(0)
}

describe.each([
  ['koa-websocket', () => before()],
  ['@oneport/koa', () => after()]
])('the tests of koa-websocket with %s', (_name, start) => {
  test.each([
    ['a 123 message to any route', '/not-a-route', '123'],
    ['an abc message to the route abc', '/abc', 'abc'],
    ['a def message to the route def', '/def', 'def'],
    ['a message to a URL with a query', '/abc?foo=bar', 'abc']
  ])('answer %s', async (_what, path, message) => {
    expect(await ask(await connect(await listening(start()), path), message)).toBe(message)
  })
})

describe('custom options of the server', () => {
  test('koa-websocket fails the connection of a client without a good subprotocol', async () => {
    const target = await listening(before({ handleProtocols: () => false }))
    await expect(connect(target, '/abc', ['bad_protocol'])).rejects.toThrow()
  })

  test('@oneport/koa refuses it, with a status', async () => {
    const target = await listening(after({ subprotocols: ['good'], requireSubprotocol: true }))
    await expect(connect(target, '/abc', ['bad_protocol'])).rejects.toMatchObject({ statusCode: 400 })
  })
})

test.each<[string, () => Promise<Server>]>([
  [
    'koa-websocket',
    async () => {
      const app = websockify(new Koa(), {}, await certificate())
      app.ws.use((ctx) => ctx.websocket.send('Hello World'))
      return app.listen(0)
    }
  ],
  [
    '@oneport/koa',
    async () => {
      const app = new Koa()
      app.use(wsUpgrade())
      app.use((ctx) => ctx.acceptWebSocket((socket) => socket.send('Hello World')))
      return https.createServer(await certificate(), app.callback()).listen(0) as Server
    }
  ]
])('the example with TLS serves wss: with %s', async (_name, start) => {
  expect(await (await connect(await listening(await start()), '/')).next()).toBe('Hello World')
})

test.each<[string, (log: (message: string) => void) => Server]>([
  [
    'koa-websocket',
    (log) => {
      const app = websockify(new Koa())
      app.ws.use((_ctx, next) => next())
      app.ws.use(
        route.all('/test/:id', (ctx) => {
          const { websocket } = ctx as websockify.MiddlewareContext<object>
          websocket.send('Hello World')
          websocket.on('message', (message) => log(String(message)))
        })
      )
      return app.listen(0)
    }
  ],
  [
    '@oneport/koa',
    (log) => {
      const app = new Koa()
      app.use(wsUpgrade())
      app.use((_ctx, next) => next())
      app.use(
        route.get('/test/:id', (ctx) => {
          ctx.acceptWebSocket((websocket) => {
            websocket.send('Hello World')
            websocket.on('message', (message) => log(String(message)))
          })
        })
      )
      return app.listen(0)
    }
  ]
])('the first example greets and gets messages with %s', async (_name, start) => {
  const logged = new Promise<string>((resolve) => {
    void (async () => {
      const { next, socket } = await connect(await listening(start(resolve)), '/test/7')
      expect(await next()).toBe('Hello World')
      socket.send('from the client')
    })()
  })
  expect(await logged).toBe('from the client')
})

describe('what the page says of koa-websocket', () => {
  test('another origin, an unknown path and any first subprotocol are accepted', async () => {
    const target = await listening(before())
    const fields = { Origin: 'https://evil.example', 'Sec-WebSocket-Protocol': 'one, two' }
    const { status, fields: answer } = await sendRaw(target, handshake('/nowhere', fields), headArrived)
    expect([status, answer.get('sec-websocket-protocol')]).toEqual([101, ['one']])
  })

  test('nothing happens when middleware throws, and the socket stays open', async () => {
    const app = websockify(new Koa())
    const errors: unknown[] = []
    app.on('error', (error) => errors.push(error))
    app.ws.use((ctx) => {
      ctx.websocket.on('message', (message) => ctx.websocket.send(message))
      throw new Error('a fault')
    })
    expect(await ask(await connect(await listening(app.listen(0)), '/'), 'still here')).toBe('still here')
    expect(errors).toEqual([])
  })

  test('its contexts have no response', async () => {
    const app = websockify(new Koa())
    app.ws.use((ctx) => {
      const outcomes = [() => ctx.cookies.set('a', 'b'), () => ctx.set('a', 'b'), () => ctx.status].map((call) => {
        try {
          return String(call())
        } catch (error) {
          return (error as Error).name
        }
      })
      ctx.websocket.send([typeof ctx.res, ...outcomes].join())
    })
    const { next } = await connect(await listening(app.listen(0)), '/')
    expect(await next()).toBe('undefined,TypeError,TypeError,TypeError')
  })

  test('a message that arrives while middleware waits is lost', async () => {
    const app = websockify(new Koa())
    app.ws.use(async (ctx) => {
      const { websocket } = ctx
      // This listener only tells the test that the message has arrived.
      await once(websocket, 'message')
      websocket.on('message', (message) => websocket.send(message))
      websocket.send('ready')
    })
    const { next, socket } = await connect(await listening(app.listen(0)), '/')
    socket.send('early')
    expect(await next()).toBe('ready')
    socket.send('late')
    expect(await next()).toBe('late')
  })
})
