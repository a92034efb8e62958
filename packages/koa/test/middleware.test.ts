import cors from '@koa/cors'
import { handshake, headArrived, sendRaw } from '@oneport/test-kit'
import type Koa from 'koa'
import compress from 'koa-compress'
import session from 'koa-session'
import serveFiles from 'koa-static'
import { wsUpgrade } from '../src/index.ts'
import { ask, echo, useServers } from './servers.ts'
import { versions } from './versions.ts'

/** Not imported: its types would give the requests of all packages a property `body`. */
const { koaBody } = jest.requireActual<{ koaBody(): Koa.Middleware }>('koa-body')

describe.each(versions)('Beside middleware of others in %s', (_name, Koa) => {
  const { serve, connect } = useServers()

  describe('koa-session', () => {
    function sessionApp(): Koa {
      const app = new Koa()
      app.keys = ['a secret']
      app.use(wsUpgrade({ onRefused: () => {} }))
      app.use(session({ key: 'sid' }, app))
      app.use((ctx) => {
        const { session } = ctx
        if (ctx.path === '/login') {
          session.user = 'ada'
          ctx.body = 'welcome'
        } else if (ctx.path === '/counts') {
          session.views = (session.views ?? 0) + 1
          ctx.acceptWebSocket((socket) => socket.send(`view ${session.views}`))
        } else {
          if (session.user === undefined) ctx.throw(401, 'Log in first.')
          ctx.acceptWebSocket((socket) => socket.send(`Hello, ${session.user}.`))
        }
      })
      return app
    }

    const cookiesOf = (fields: ReadonlyMap<string, readonly string[]>): string =>
      (fields.get('set-cookie') ?? []).map((cookie) => cookie.split(';')[0]).join('; ')

    test('sets its cookie on the 101', async () => {
      const target = await serve(sessionApp())
      const first = await sendRaw(target, handshake('/counts'), headArrived)
      expect([first.status, first.fields.get('set-cookie')]).toEqual([
        101,
        [expect.stringMatching(/^sid=.+; path=\/; /), expect.stringMatching(/^sid\.sig=/)]
      ])
      const headers = { Cookie: cookiesOf(first.fields) }
      expect(await (await connect(target, '/counts', [], { headers })).next()).toBe('view 2')
    })

    test('gives the handler the session of a login over HTTP, and refuses without one', async () => {
      const target = await serve(sessionApp())
      const login = await sendRaw(target, 'GET /login HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n')
      const headers = { Cookie: cookiesOf(login.fields) }
      expect(await (await connect(target, '/chat', [], { headers })).next()).toBe('Hello, ada.')
      const refused = await sendRaw(target, handshake('/chat'))
      expect([refused.status, refused.rest]).toEqual([401, 'Log in first.'])
    })
  })

  test.each<[string, () => Koa.Middleware]>([
    ['koa-compress', () => compress({ threshold: 0 })],
    ['koa-body', () => koaBody()],
    ['koa-static', () => serveFiles(__dirname)],
    ['koa-static that runs last', () => serveFiles(__dirname, { defer: true })],
    ['@koa/cors', () => cors()]
  ])('accepts and refuses behind %s', async (_what, make) => {
    const app = new Koa()
    app.use(wsUpgrade({ onRefused: () => {} }))
    app.use(make())
    app.use((ctx) => {
      if (ctx.path === '/chat') ctx.acceptWebSocket(echo)
    })
    const target = await serve(app)
    expect(await ask(await connect(target, '/chat'), 'hello')).toBe('hello')
    expect((await sendRaw(target, handshake('/other'))).status).toBe(404)
    expect((await sendRaw(target, handshake('/chat', { 'Sec-WebSocket-Version': '8' }))).status).toBe(426)
  })

  test('keeps the fields of @koa/cors on a 101 of another origin that is allowed', async () => {
    const app = new Koa()
    app.use(wsUpgrade({ allowedOrigins: ['https://app.example'] }))
    app.use(cors({ credentials: true }))
    app.use((ctx) => ctx.acceptWebSocket(echo))
    const { status, fields } = await sendRaw(
      await serve(app),
      handshake('/', { Origin: 'https://app.example' }),
      headArrived
    )
    expect([status, fields.get('access-control-allow-origin')]).toEqual([101, ['https://app.example']])
  })
})
