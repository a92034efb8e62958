import net from 'node:net'
import { handshake, headArrived, sendRaw, signal } from '@oneport/test-kit'
import type Koa from 'koa'
import { type WebSocket, wsUpgrade } from '../src/index.ts'
import { ask, echo, get, useServers } from './servers.ts'
import { versions } from './versions.ts'

describe.each(versions)('ctx.acceptWebSocket() of %s', (_name, Koa) => {
  const { serve, connect } = useServers()

  /** An application with the given middleware behind a `wsUpgrade()`. */
  function appOf(...middleware: Koa.Middleware[]): Koa {
    const app = new Koa()
    app.silent = true
    app.use(wsUpgrade({ onRefused: () => {} }))
    for (const each of middleware) app.use(each)
    return app
  }

  const accept: Koa.Middleware = (ctx) => ctx.acceptWebSocket(echo)

  test('sends the header fields, cookies and status message that are set behind await next()', async () => {
    const target = await serve(
      appOf(async (ctx, next) => {
        await next()
        ctx.set('X-Response-Time', '1ms')
        ctx.cookies.set('seen', 'yes')
        ctx.append('Link', '</one>')
        ctx.append('Link', '</two>')
      }, accept)
    )
    const { fields, status } = await sendRaw(target, handshake('/'), headArrived)
    expect(status).toBe(101)
    expect([fields.get('x-response-time'), fields.get('set-cookie'), fields.get('link')]).toEqual([
      ['1ms'],
      ['seen=yes; path=/; httponly'],
      ['</one>', '</two>']
    ])
    expect(['content-type', 'content-length'].filter((name) => fields.has(name))).toEqual([])
  })

  test('calls the handler with the socket and the context when all middleware has returned', async () => {
    const events: string[] = []
    const target = await serve(
      appOf(
        async (ctx, next) => {
          ctx.state.user = 'ada'
          await next()
          events.push(`returned with ${ctx.status}`)
        },
        (ctx) => {
          ctx.acceptWebSocket((socket, own) => {
            events.push(`opened for ${own.state.user}, ${own === ctx}`)
            socket.send('welcome')
          })
          events.push('accepted')
        }
      )
    )
    expect(await (await connect(target, '/')).next()).toBe('welcome')
    expect(events).toEqual(['accepted', 'returned with 101', 'opened for ada, true'])
  })

  test.each<[string, Koa.Middleware, number]>([
    [
      'sets another status',
      async (ctx, next) => {
        await next()
        ctx.status = 403
      },
      403
    ],
    [
      'redirects',
      async (ctx, next) => {
        await next()
        ctx.redirect('/login')
      },
      302
    ],
    [
      'throws',
      async (ctx, next) => {
        await next()
        ctx.throw(418, 'no coffee')
      },
      418
    ],
    [
      'sets no body',
      async (ctx, next) => {
        await next()
        ctx.body = null
      },
      204
    ]
  ])(
    'opens no socket if middleware %s behind await next(), and its place is free again',
    async (_what, middleware, status) => {
      const opened = jest.fn()
      const websockets = wsUpgrade({ maxConnections: 1 })
      const app = new Koa()
      let isFirst = true
      app.use(websockets)
      app.use((ctx, next) => (isFirst ? middleware(ctx as never, next) : next()))
      app.use((ctx) => ctx.acceptWebSocket({}, isFirst ? opened : echo))
      const target = await serve(app)
      expect((await sendRaw(target, handshake('/'))).status).toBe(status)
      expect([opened.mock.calls, websockets.connections.size, websockets.stats().pending]).toEqual([[], 0, 0])
      isFirst = false
      expect(await ask(await connect(target, '/'), 'hello')).toBe('hello')
    }
  )

  test.each<[string, Koa.Middleware]>([
    [
      'a text',
      async (ctx, next) => {
        await next()
        ctx.body = 'text'
      }
    ],
    [
      'an object',
      async (ctx, next) => {
        await next()
        ctx.body = { some: 'json' }
      }
    ],
    [
      'a body that was set before',
      async (ctx, next) => {
        ctx.body = 'text'
        await next()
      }
    ]
  ])('opens the socket, and sends no body, if there is %s', async (_what, middleware) => {
    const target = await serve(appOf(middleware, accept))
    const { fields, status } = await sendRaw(target, handshake('/'), headArrived)
    expect([status, fields.get('content-length')]).toEqual([101, undefined])
    expect(await ask(await connect(target, '/'), 'hello')).toBe('hello')
  })

  test('opens the socket at once if Koa is told not to respond', async () => {
    const order: string[] = []
    const target = await serve(
      appOf((ctx) => {
        ctx.respond = false
        ctx.acceptWebSocket((socket) => {
          order.push('opened')
          echo(socket)
        })
        order.push('returned')
      })
    )
    expect(await ask(await connect(target, '/'), 'hello')).toBe('hello')
    expect(order).toEqual(['opened', 'returned'])
  })

  test('accepts once per request', async () => {
    const errors: unknown[] = []
    const app = appOf((ctx) => {
      ctx.acceptWebSocket(echo)
      ctx.acceptWebSocket(echo)
    })
    app.on('error', (error: Error) => errors.push(error.message))
    expect((await sendRaw(await serve(app), handshake('/'))).status).toBe(500)
    expect(errors).toEqual(['acceptWebSocket() was called twice for one request.'])
  })

  test('answers an ordinary request with 426 and says what the URL is for', async () => {
    const { status, fields, rest } = await sendRaw(await serve(appOf(accept)), get('/'))
    expect([status, fields.get('upgrade')]).toEqual([426, ['websocket']])
    expect(rest).toContain('This URL is a WebSocket endpoint')
  })

  test.each<[string, Koa.Middleware, RegExp]>([
    ['no handler', (ctx) => ctx.acceptWebSocket(undefined as never), /expected a handler/],
    ['a handler that is no function', (ctx) => ctx.acceptWebSocket({}, 'echo' as never), /got 'echo'/],
    ['a wrong option', (ctx) => ctx.acceptWebSocket({ maxPayloadBytes: -1 }, echo), /maxPayloadBytes/]
  ])('answers %s with 500, and app.on("error") gets a TypeError', async (_what, middleware, message) => {
    const errors: unknown[] = []
    const app = appOf(middleware)
    app.on('error', (error) => errors.push(error))
    const { status, rest } = await sendRaw(await serve(app), handshake('/'))
    expect([status, rest]).toEqual([500, 'Internal Server Error'])
    expect(errors).toEqual([expect.any(TypeError)])
    expect((errors[0] as Error).message).toMatch(message)
  })

  test('exists only behind wsUpgrade()', async () => {
    const types: string[] = []
    const app = new Koa()
    app.use((ctx, next) => {
      types.push(typeof ctx.acceptWebSocket)
      return next()
    })
    app.use(wsUpgrade())
    app.use((ctx) => {
      types.push(typeof ctx.acceptWebSocket)
    })
    const target = await serve(app)
    for (const _turn of [1, 2]) await sendRaw(target, get('/'))
    expect(types).toEqual(['undefined', 'function', 'undefined', 'function'])
  })

  test('works with asyncLocalStorage: app.currentContext is that of the handshake in its handler', async () => {
    const app = new Koa({ asyncLocalStorage: true })
    app.use(wsUpgrade())
    app.use((ctx) => {
      ctx.acceptWebSocket((socket) => socket.send(String(app.currentContext === ctx)))
    })
    const client = await connect(await serve(app), '/')
    expect(await client.next()).toBe('true')
  })

  test('opens no socket for a client that has left while middleware waited', async () => {
    const [asked, gate, answered] = [signal(), signal(), signal<number>()]
    const opened = jest.fn()
    const refused = signal<string>()
    const app = new Koa()
    app.silent = true
    app.use(async (ctx, next) => {
      await next().finally(() => answered.give(ctx.status))
    })
    app.use(wsUpgrade({ onRefused: ({ code }) => refused.give(code) }))
    app.use(async (ctx) => {
      asked.give()
      await gate.given
      ctx.acceptWebSocket(opened as (socket: WebSocket) => void)
    })
    const { port } = await serve(app)
    const raw = net.connect(port, '127.0.0.1')
    raw.write(handshake('/'))
    await asked.given
    raw.destroy()
    expect(await refused.given).toBe('HANDSHAKE_ABORTED')
    gate.give()
    await answered.given
    expect(opened).not.toHaveBeenCalled()
  })
})
