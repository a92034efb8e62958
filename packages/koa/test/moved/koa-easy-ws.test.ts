/**
 * The examples of koa-easy-ws 2.1.0 and its own tests, before the move and after it. Those for Node 9 are left out.
 * https://github.com/b3nsn0w/koa-easy-ws
 */
import Router from '@koa/router'
import { closed, sendRaw } from '@oneport/test-kit'
import Koa from 'koa'
import easyWebSocket from 'koa-easy-ws'
import { isWebSocketRequest, wsUpgrade } from '../../src/index.ts'
import { echo, get, useServers } from '../servers.ts'

const { connect, serve } = useServers()

/** The types of koa-easy-ws have no call signature that fits `app.use`. */
const websocket = easyWebSocket as unknown as (...args: unknown[]) => Koa.Middleware

/** `ctx.ws()` for routes that still await it: the middleware of docs/moving-from-koa-easy-ws.md. */
const bridge: Koa.Middleware = (ctx, next) => {
  if (isWebSocketRequest(ctx.req)) {
    ctx.ws = () =>
      new Promise((resolve) => {
        ctx.acceptWebSocket(resolve)
        ctx.respond = false
        ctx.res.writeHead(101).end()
      })
  }
  return next()
}

const before = (): Koa => new Koa().use(websocket())
const bridged = (): Koa => new Koa().use(wsUpgrade()).use(bridge)

describe.each<[string, () => Koa]>([
  ['koa-easy-ws', before],
  ['the middleware of the page', bridged]
])('code that awaits ctx.ws(), with %s,', (_name, start) => {
  test('greets a WebSocket and answers an ordinary request', async () => {
    const app = start()
    app.use(async (ctx) => {
      if (ctx.ws) {
        const ws = await ctx.ws()
        return ws.send('hello there')
      }
      ctx.body = 'general kenobi'
    })
    const target = await serve(app)
    expect(await (await connect(target, '/')).next()).toBe('hello there')
    expect((await sendRaw(target, get('/'))).rest).toBe('general kenobi')
  })

  test('composes with a router', async () => {
    const router = new Router()
    router.get('/pow/obi', async (ctx) => {
      if (ctx.ws) (await ctx.ws()).send('chancellor palpatine is evil')
    })
    router.get('/pow/ani', async (ctx) => {
      if (!ctx.ws) return
      const ws = await ctx.ws()
      ws.send('the jedi are evil')
      ws.send('404')
    })
    const target = await serve(start().use(router.routes()).use(router.allowedMethods()))
    expect(await (await connect(target, '/pow/obi')).next()).toBe('chancellor palpatine is evil')
    const { next } = await connect(target, '/pow/ani')
    expect([await next(), await next()]).toEqual(['the jedi are evil', '404'])
  })
})

describe('after the move', () => {
  test('the first example runs', async () => {
    const app = new Koa()
    app.use(wsUpgrade())
    app.use((ctx) => {
      if (isWebSocketRequest(ctx.req)) return ctx.acceptWebSocket((ws) => ws.send('hello there'))
      ctx.body = 'general kenobi'
    })
    const target = await serve(app)
    expect(await (await connect(target, '/')).next()).toBe('hello there')
    expect((await sendRaw(target, get('/'))).rest).toBe('general kenobi')
  })

  test('the example with a router runs', async () => {
    const router = new Router()
    router.get('/pow/obi', (ctx) => ctx.acceptWebSocket((ws) => ws.send('chancellor palpatine is evil')))
    router.get('/pow/ani', (ctx) => {
      ctx.acceptWebSocket((ws) => {
        ws.send('the jedi are evil')
        ws.send('404')
      })
    })
    const target = await serve(new Koa().use(wsUpgrade()).use(router.routes()).use(router.allowedMethods()))
    expect(await (await connect(target, '/pow/obi')).next()).toBe('chancellor palpatine is evil')
    const { next } = await connect(target, '/pow/ani')
    expect([await next(), await next()]).toEqual(['the jedi are evil', '404'])
  })

  test('the example with two renamed middleware needs only one, and one context method', async () => {
    const app = new Koa()
    app.use(wsUpgrade())
    app.use((ctx) => {
      if (ctx.path === '/sidious') ctx.acceptWebSocket((ws) => ws.send('this is getting out of hand'))
      if (ctx.path === '/maul') ctx.acceptWebSocket((ws) => ws.send('now there are two of them'))
    })
    const target = await serve(app)
    expect(await (await connect(target, '/sidious')).next()).toBe('this is getting out of hand')
    expect(await (await connect(target, '/maul')).next()).toBe('now there are two of them')
  })

  test('the exposed server is what wsUpgrade() returns, with the options of ws in their own names', async () => {
    const websockets = wsUpgrade({ maxPayloadBytes: 69_420, onError: () => {} })
    const app = new Koa()
    app.use(websockets)
    app.use((ctx) => ctx.acceptWebSocket(echo))
    const { socket } = await connect(await serve(app), '/')
    expect(websockets.connections.size).toBe(1)
    const end = closed(socket)
    socket.send('x'.repeat(69_421))
    expect((await end).code).toBe(1009)
  })
})
