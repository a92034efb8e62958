import Router from '@koa/router'
import { handshake, headArrived, sendRaw, takePrinted } from '@oneport/test-kit'
import type Koa from 'koa'
import mount from 'koa-mount'
import { type EndpointOptions, type WsUpgrade, type WsUpgradeOptions, wsUpgrade } from '../src/index.ts'
import { ask, echo, get, useServers } from './servers.ts'
import { versions } from './versions.ts'

describe.each(versions)('An endpoint of %s', (_name, Koa) => {
  const { serve, connect } = useServers()

  test('of @koa/router gets the parameters of its path, and the status of its middleware', async () => {
    const router = new Router({ prefix: '/rooms' })
    router.param('room', (room, ctx, next) => {
      if (room === 'secret') ctx.throw(403, 'members only')
      return next()
    })
    router.get('/:room/chat', (ctx) => {
      ctx.acceptWebSocket((socket, own) => socket.send(`${ctx.params.room}, ${own.params.room}`))
    })
    const app = new Koa()
    app.use(wsUpgrade())
    app.use(router.routes()).use(router.allowedMethods())
    const target = await serve(app)
    expect(await (await connect(target, '/rooms/a%20b/chat')).next()).toBe('a b, a b')
    const { status, rest } = await sendRaw(target, handshake('/rooms/secret/chat'))
    expect([status, rest]).toEqual([403, 'members only'])
    expect((await sendRaw(target, handshake('/rooms'))).status).toBe(404)
    expect((await sendRaw(target, get('/rooms/lobby/chat').replace('GET', 'POST'))).status).toBe(405)
  })

  test('can share its path with an ordinary route', async () => {
    const router = new Router()
    router.get('/chat', (ctx, next) => {
      return ctx.get('Upgrade') === '' ? next() : ctx.acceptWebSocket(echo)
    })
    router.get('/chat', (ctx) => {
      ctx.body = 'the page'
    })
    const app = new Koa()
    app.use(wsUpgrade())
    app.use(router.routes())
    const target = await serve(app)
    expect((await sendRaw(target, get('/chat'))).rest).toBe('the page')
    expect(await ask(await connect(target, '/chat'), 'hello')).toBe('hello')
  })

  /** An application that tells at every path what its middleware saw, and what its handler sees. */
  function inner(...before: Koa.Middleware[]): Koa {
    const app = new Koa()
    for (const each of before) app.use(each)
    app.use((ctx) => {
      const { path } = ctx
      ctx.acceptWebSocket((socket, own) => socket.send(`${path}, ${own.path}`))
    })
    return app
  }

  test.each<[string, (websockets: WsUpgrade) => Koa]>([
    ['with a wsUpgrade() in front', (websockets) => new Koa().use(websockets).use(mount('/inner', inner()))],
    ['with its own wsUpgrade()', (websockets) => new Koa().use(mount('/inner', inner(websockets)))],
    ['twice', (websockets) => new Koa().use(websockets).use(mount('/inner', inner(websockets)))]
  ])('works in a mounted application %s', async (_what, make) => {
    const websockets = wsUpgrade()
    const target = await serve(make(websockets))
    expect(await (await connect(target, '/inner/chat')).next()).toBe('/chat, /inner/chat')
    expect([websockets.connections.size, target.server.listenerCount('upgrade')]).toEqual([1, 1])
    expect((await sendRaw(target, handshake('/chat'))).status).toBe(404)
  })

  test('has the fields that the outer application sets after the mounted one', async () => {
    const app = new Koa()
    app.use(async (ctx, next) => {
      await next()
      ctx.set('X-Outer', 'yes')
    })
    app.use(mount('/inner', inner(wsUpgrade())))
    const { fields } = await sendRaw(await serve(app), handshake('/inner'), headArrived)
    expect(fields.get('x-outer')).toEqual(['yes'])
  })

  test('has the options of the nearest wsUpgrade() in front of it, and then those of earlier ones', async () => {
    const chosen = async (outer: WsUpgradeOptions, own: EndpointOptions, of: EndpointOptions) => {
      const app = new Koa()
      app.use(wsUpgrade(outer))
      app.use(wsUpgrade(own))
      app.use((ctx) => ctx.acceptWebSocket(of, echo))
      return (await connect(await serve(app), '/', ['a', 'b', 'c'])).socket.protocol
    }
    expect(await chosen({ subprotocols: ['a'] }, {}, {})).toBe('a')
    expect(await chosen({ subprotocols: ['a'] }, { subprotocols: ['b'] }, {})).toBe('b')
    expect(await chosen({ subprotocols: ['a'] }, { subprotocols: ['b'] }, { subprotocols: ['c'] })).toBe('c')
    expect(await chosen({ subprotocols: ['a'] }, { maxPayloadBytes: 9 }, { subprotocols: undefined })).toBe('a')
  })

  test('security: has no options of a wsUpgrade() of another mounted application', async () => {
    const app = new Koa()
    const foreign = { origin: 'https://evil.example' }
    app.use(mount('/open', inner(wsUpgrade({ allowedOrigins: 'any' }))))
    app.use(mount('/closed', inner(wsUpgrade({ subprotocols: ['chat'] }))))
    const target = await serve(app)
    await connect(target, '/open', [], foreign)
    await expect(connect(target, '/closed', [], foreign)).rejects.toMatchObject({ statusCode: 403 })
    expect(takePrinted()).toEqual([expect.stringMatching(/^oneport: HANDSHAKE_ORIGIN/)])
  })

  test('answers a handshake with 500 if a second wsUpgrade() has options for the whole server', async () => {
    const errors: Error[] = []
    const app = new Koa()
    app.on('error', (error) => errors.push(error))
    app.use(wsUpgrade({ maxConnections: 9 }))
    app.use(mount('/inner', inner(wsUpgrade({ heartbeat: false }))))
    app.use((ctx) => {
      ctx.body = 'page'
    })
    const target = await serve(app)
    expect((await sendRaw(target, get('/page'))).status).toBe(200)
    expect((await sendRaw(target, handshake('/inner'))).status).toBe(500)
    expect(errors.map(String)).toEqual([
      'TypeError: wsUpgrade: heartbeat: only the first wsUpgrade() of an application takes options for the whole server'
    ])
  })
})
