import { handshake, sendRaw, takePrinted } from '@oneport/test-kit'
import type Koa from 'koa'
import { HandshakeError, type WsUpgradeOptions, wsUpgrade } from '../src/index.ts'
import { echo, useServers } from './servers.ts'
import { versions } from './versions.ts'

const foreign = { Origin: 'https://evil.example' }
const oldVersion = { 'Sec-WebSocket-Version': '8' }

describe.each(versions)('A refused handshake in %s', (_name, Koa) => {
  const { serve, connect } = useServers()

  function appOf(options: WsUpgradeOptions = {}, ...middleware: Koa.Middleware[]): Koa {
    const app = new Koa()
    for (const each of middleware) app.use(each)
    app.use(wsUpgrade(options))
    app.use((ctx) => {
      if (ctx.path === '/chat') ctx.acceptWebSocket(echo)
      if (ctx.path === '/login') ctx.throw(401, 'Log in first.', { headers: { 'WWW-Authenticate': 'Bearer' } })
    })
    return app
  }

  test('is answered by Koa with the status, the message and the header fields of the error', async () => {
    const target = await serve(
      appOf({}, (ctx, next) => {
        ctx.set('X-Lost', 'Koa removes it')
        return next()
      })
    )
    const { status, fields, rest } = await sendRaw(target, handshake('/chat', oldVersion))
    expect([status, fields.get('content-type')]).toEqual([426, ['text/plain; charset=utf-8']])
    expect(rest).toMatch(/^Expected Sec-WebSocket-Version 13/)
    expect([fields.get('upgrade'), fields.get('connection'), fields.get('sec-websocket-version')]).toEqual([
      ['websocket'],
      ['close, Upgrade'],
      ['13']
    ])
    expect(fields.get('x-lost')).toBeUndefined()
  })

  test('is not printed as an error by Koa, whatever its status: core logs what the operator has to know', async () => {
    const target = await serve(appOf({ maxConnections: 1 }))
    await sendRaw(target, handshake('/chat', oldVersion))
    await sendRaw(target, handshake('/chat', foreign))
    await connect(target, '/chat')
    const { status, fields, rest } = await sendRaw(target, handshake('/chat'))
    expect([status, fields.get('retry-after')]).toEqual([503, ['5']])
    expect(rest).toBe('The server has reached its limit of WebSocket connections; try again in a few seconds.')
    expect(takePrinted()).toEqual([
      expect.stringMatching(/^oneport: HANDSHAKE_ORIGIN: .*A page of another site/s),
      'oneport: HANDSHAKE_UNAVAILABLE: maxConnections is 1'
    ])
  })

  test('goes to app.on("error") as a HandshakeError with its context, and to onRefused once', async () => {
    const [errors, refusals]: [unknown[], unknown[]] = [[], []]
    const app = appOf({ onRefused: ({ code }, req) => refusals.push([code, req.url]) })
    app.on('error', (error: HandshakeError, ctx: Koa.Context) => {
      errors.push([error instanceof HandshakeError, error.code, ctx.path])
    })
    await sendRaw(await serve(app), handshake('/chat', foreign))
    expect(errors).toEqual([[true, 'HANDSHAKE_ORIGIN', '/chat']])
    expect(refusals).toEqual([['HANDSHAKE_ORIGIN', '/chat']])
  })

  test('goes to error middleware, which can answer with another status and body', async () => {
    const app = appOf({ onRefused: () => {} }, async (ctx, next) => {
      try {
        await next()
      } catch (error) {
        if (!(error instanceof HandshakeError)) throw error
        ctx.status = error.status
        ctx.set(error.headers)
        ctx.body = { code: error.code, expose: error.expose }
      }
    })
    const target = await serve(app)
    const { status, fields, rest } = await sendRaw(target, handshake('/chat', oldVersion))
    expect([status, fields.get('sec-websocket-version'), JSON.parse(rest)]).toEqual([
      426,
      ['13'],
      { code: 'HANDSHAKE_VERSION', expose: true }
    ])
  })

  test('by ctx.throw() in front of the endpoint has its status, message and header fields', async () => {
    const { status, fields, rest } = await sendRaw(await serve(appOf()), handshake('/login'))
    expect([status, rest, fields.get('www-authenticate')]).toEqual([401, 'Log in first.', ['Bearer']])
  })

  test('at an unknown path is the 404 of the application', async () => {
    expect((await sendRaw(await serve(appOf()), handshake('/other'))).status).toBe(404)
  })
})
