import { type EventEmitter, once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { HttpBindings } from '@hono/node-server'
import { type SessionEnv, useSession } from '@hono/session'
import { handshake, openRaw } from '@oneport/adapter-testsuite/parts'
import { connect, expectRefused } from '@oneport/testing'
import type { Context, MiddlewareHandler } from 'hono'
import { compress } from 'hono/compress'
import { deleteCookie, setCookie, setSignedCookie } from 'hono/cookie'
import { cors } from 'hono/cors'
import { csrf } from 'hono/csrf'
import { etag } from 'hono/etag'
import { HTTPException } from 'hono/http-exception'
import { logger } from 'hono/logger'
import { poweredBy } from 'hono/powered-by'
import { prettyJSON } from 'hono/pretty-json'
import { requestId } from 'hono/request-id'
import { secureHeaders } from 'hono/secure-headers'
import { timeout } from 'hono/timeout'
import { timing } from 'hono/timing'
import { acceptWebSocket, type ConnectionSummary, webSocket } from '../src/index.ts'
import { serving } from './serving.ts'
import { versions } from './versions.ts'

describe.each(versions)('%s', (_name, version) => {
  const { Hono } = version
  const hello = webSocket((socket) => socket.send('hello'))

  test('the 101 has what middleware sets before and behind the route', async () => {
    const app = new Hono()
    app.use(async (c, next) => {
      c.header('X-Before', 'outer')
      setCookie(c, 'first', '1')
      await next()
      c.header('X-After', 'outer')
      c.header('X-Inner', undefined)
      setCookie(c, 'third', '3')
      c.res.headers.append('Set-Cookie', 'fourth=4')
    })
    app.use(async (c, next) => {
      await next()
      c.res = new Response(c.res.body, c.res)
      c.header('X-Inner', 'removed')
      await setSignedCookie(c, 'second', '2', 'secret')
      deleteCookie(c, 'old')
    })
    app.get('/', (c) => {
      c.header('X-Route', 'set', { append: true })
      c.header('X-Route', 'twice', { append: true })
      setCookie(c, 'route', 'r')
      return acceptWebSocket(c, (socket) => socket.send('hello'))
    })
    const client = await connect(serving(version, app).server, '/')
    expect(await client.next()).toBe('hello')
    const { status, headers } = client.response
    expect(status).toBe(101)
    expect(headers).toMatchObject({ 'x-before': 'outer', 'x-after': 'outer', 'x-route': 'set, twice' })
    expect(headers).not.toHaveProperty('x-inner')
    const names = (headers['set-cookie'] as unknown as string[]).map((cookie) => cookie.split('=', 1)[0])
    expect(names).toEqual(['first', 'route', 'second', 'old', 'third', 'fourth'])
    expect(Object.keys(headers)).not.toContain('content-type')
  })

  const all: readonly [name: string, middleware: MiddlewareHandler, field: string | undefined][] = [
    ['secureHeaders', secureHeaders({ removePoweredBy: false }), 'x-frame-options'],
    ['timing', timing(), 'server-timing'],
    ['requestId', requestId(), 'x-request-id'],
    ['poweredBy', poweredBy(), 'x-powered-by'],
    ['cors', cors({ origin: 'https://app.example', credentials: true }), 'access-control-allow-credentials'],
    ['csrf', csrf(), undefined],
    ['etag', etag(), undefined],
    ['compress', compress(), undefined],
    ['prettyJSON', prettyJSON(), undefined],
    ['timeout', timeout(10_000), undefined]
  ]

  test.each(all)('%s() of Hono works for a handshake', async (_name, middleware, field) => {
    const app = new Hono()
    app.use(middleware)
    app.get('/', hello)
    const client = await connect(serving(version, app).server, '/', { headers: { 'Accept-Encoding': 'gzip' } })
    expect(await client.next()).toBe('hello')
    if (field !== undefined) expect(client.response.headers).toHaveProperty(field)
  })

  test('all of them together work for a handshake', async () => {
    const app = new Hono()
    for (const [, middleware] of all) app.use(middleware)
    app.get('/', hello)
    const client = await connect(serving(version, app).server, '/')
    for (const [, , field] of all) if (field !== undefined) expect(client.response.headers).toHaveProperty(field)
  })

  test('middleware sees status 299 until the 101 is sent', async () => {
    const lines: string[] = []
    const app = new Hono()
    app.use(logger((...line) => lines.push(line.join(' '))))
    app.get('/', hello)
    await connect(serving(version, app).server, '/')
    expect(lines.map((line) => line.split(' ').slice(0, 4).join(' '))).toEqual([
      '<-- GET /',
      expect.stringMatching(/^--> GET \/ .*299/)
    ])
  })

  test('the cookie of a session reaches the 101, and the handler has the session', async () => {
    const app = new Hono<SessionEnv<{ visits: number }>>()
    app.use(useSession({ secret: 'a'.repeat(32) }))
    app.get(
      '/',
      async (c, next) => {
        const { visits } = (await c.var.session.get()) ?? { visits: 0 }
        await c.var.session.update({ visits: visits + 1 })
        return next()
      },
      webSocket((socket, c) => socket.send(`visit ${c.var.session.data?.visits}`))
    )
    const { server } = serving(version, app)
    const client = await connect(server, '/')
    expect(await client.next()).toBe('visit 1')
    const Cookie = [client.response.headers['set-cookie']].flat().map((cookie) => String(cookie).split(';', 1)[0])
    expect(await (await connect(server, '/', { headers: { Cookie: Cookie.join('; ') } })).next()).toBe('visit 2')
  })

  const replacements: readonly [what: string, status: number, (c: Context) => void][] = [
    ['throws an HTTPException', 418, () => raise(new HTTPException(418 as never, { message: 'a teapot' }))],
    ['throws another error', 500, () => raise(new Error('broken behind the route'))],
    ['sets another response', 503, (c) => replace(c, new Response('down', { status: 503 }))],
    ['sets another response with status 200', 200, (c) => replace(c, new Response('a page'))],
    ['sets another response without a body', 204, (c) => replace(c, new Response(null, { status: 204 }))],
    ['removes the response and sets another', 200, (c) => replace(c, undefined, new Response('a page'))]
  ]

  test.each(replacements)('middleware behind the route that %s refuses the handshake', async (_what, status, act) => {
    const acts = [act]
    const app = new Hono()
    app.use(async (c, next) => {
      await next()
      acts.pop()?.(c)
    })
    app.onError((error, c) => ('getResponse' in error ? error.getResponse() : c.text(error.message, 500)))
    app.get(
      '/',
      webSocket(() => {})
    )
    const { server, websockets } = serving(version, app, { maxConnections: 1 })
    expect((await expectRefused(server, '/')).status).toBe(status)
    expect(websockets.stats()).toMatchObject({ open: 0, pending: 0, accepted: 0 })
    // Its place is free again.
    await connect(server, '/')
    expect(websockets.stats()).toMatchObject({ open: 1, accepted: 1 })
  })

  test('a client that leaves while middleware behind the route waits opens no socket, and its place is free', async () => {
    const app = new Hono<{ Bindings: HttpBindings }>()
    let proceed = (): void => {}
    const waiting = new Promise<void>((resolve) => {
      proceed = resolve
    })
    let tell = (_outgoing: EventEmitter): void => {}
    const agreed = new Promise<EventEmitter>((resolve) => {
      tell = resolve
    })
    let calls = 0
    app.use(async (c, next) => {
      await next()
      tell(c.env.outgoing)
      await waiting
    })
    app.get(
      '/',
      webSocket(() => calls++)
    )
    const { server, websockets } = serving(version, app, { maxConnections: 1 })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const client = await openRaw({ port: (server.address() as AddressInfo).port })
    client.write(handshake('/'))
    const closed = once(await agreed, 'close')
    client.destroy()
    await closed
    proceed()
    await connect(server, '/', { port: true })
    expect(calls).toBe(1)
    expect(websockets.stats()).toMatchObject({ open: 1, accepted: 1, refused: { HANDSHAKE_ABORTED: 1 } })
    server.close()
  })

  test("onClosed gets the ID that Hono's requestId() has set", async () => {
    const closed: ConnectionSummary[] = []
    const app = new Hono()
    app.use(requestId())
    app.get('/', hello)
    const options = { onClosed: (_socket: unknown, summary: ConnectionSummary) => void closed.push(summary) }
    const { server, websockets } = serving(version, app, options)
    await connect(server, '/', { headers: { 'X-Request-Id': 'abc' } })
    await websockets.drain()
    expect(closed.map(({ request }) => request.id)).toEqual(['abc'])
  })
})

function replace(c: Context, ...responses: (Response | undefined)[]): void {
  for (const response of responses) c.res = response
}

function raise(error: Error): never {
  throw error
}
