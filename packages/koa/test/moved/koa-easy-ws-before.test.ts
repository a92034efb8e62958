/**
 * What docs/moving-from-koa-easy-ws.md says of koa-easy-ws 2.1.0. Without a `wsUpgrade()`, because that attaches the
 * servers of all Koa applications of the process.
 */
import { once } from 'node:events'
import { handshake, headArrived, openRaw, sendRaw } from '@oneport/test-kit'
import Koa from 'koa'
import easyWebSocket from 'koa-easy-ws'
import { WebSocket, WebSocketServer } from 'ws'
import { ask, useServers } from '../servers.ts'

const { connect, serve } = useServers()

/** The types of koa-easy-ws have no call signature that fits `app.use`. */
const websocket = easyWebSocket as unknown as (...args: unknown[]) => Koa.Middleware & { server: WebSocketServer }

const before = (): Koa => new Koa().use(websocket())

describe('what the page says of koa-easy-ws', () => {
  test('two renamed middleware, the exposed server and its options work as its examples show', async () => {
    const first = websocket('sidious', {
      exposeServerOn: 'wss',
      wsOptions: { clientTracking: false, maxPayload: 69_420 }
    })
    const app = new Koa().use(first).use(websocket('maul'))
    app.use(async (ctx) => {
      if (ctx.path === '/sidious') return (await ctx.sidious()).send(String(ctx.wss instanceof WebSocketServer))
      return (await ctx.maul()).send('now there are two of them')
    })
    const target = await serve(app)
    expect(await (await connect(target, '/sidious')).next()).toBe('true')
    expect(await (await connect(target, '/maul')).next()).toBe('now there are two of them')
    expect([first.server.options.maxPayload, first.server.clients]).toEqual([69_420, undefined])
  })

  test('its 101 has no header fields of middleware, and another origin is accepted', async () => {
    const app = new Koa()
    app.use(async (ctx, next) => {
      ctx.set('X-Early', 'yes')
      await next()
      expect(ctx.status).toBe(404)
    })
    app.use(websocket())
    app.use(async (ctx) => void (await ctx.ws()))
    const { fields, status } = await sendRaw(
      await serve(app),
      handshake('/', { Origin: 'https://evil.example' }),
      headArrived
    )
    expect([status, fields.get('x-early')]).toEqual([101, undefined])
  })

  test('Koa writes its error page into an open WebSocket', async () => {
    const app = before()
    app.silent = true
    app.use(async (ctx) => {
      await ctx.ws()
      throw new Error('a fault')
    })
    const { port } = await serve(app)
    const socket = new WebSocket(`ws://127.0.0.1:${port}`)
    const [error] = await once(socket, 'error')
    expect(error.message).toMatch(/Invalid WebSocket frame/)
  })

  test('ctx.ws() never settles for a malformed handshake, and ws answers it', async () => {
    const settled = jest.fn()
    const app = before()
    app.use((ctx) => ctx.ws().then(settled, settled))
    const { status, fields } = await sendRaw(await serve(app), handshake('/', { 'Sec-WebSocket-Version': '7' }))
    expect([status, fields.get('sec-websocket-version')]).toEqual([400, ['13, 8']])
    expect(settled).not.toHaveBeenCalled()
  })

  test('gets no handshake if anything else listens for upgrade', async () => {
    const app = before()
    app.use(async (ctx) => void (await ctx.ws()))
    const target = await serve(app)
    const others: unknown[] = []
    target.server.on('upgrade', (req, socket) => {
      others.push(req.url)
      socket.destroy()
    })
    const raw = await openRaw(target)
    raw.write(handshake('/'))
    await once(raw.resume(), 'close')
    expect(others).toEqual(['/'])
  })

  test('server.close() waits for its last client', async () => {
    const app = before()
    app.use(async (ctx) => {
      const ws = await ctx.ws()
      ws.on('message', (message: Buffer) => ws.send(message))
    })
    const { server, ...target } = await serve(app)
    const client = await connect(target, '/')
    const finished = once(server, 'close')
    let isFinished = false
    void finished.then(() => {
      isFinished = true
    })
    server.close()
    expect(await ask(client, 'still open')).toBe('still open')
    expect(isFinished).toBe(false)
    client.socket.close()
    await finished
  })
})
