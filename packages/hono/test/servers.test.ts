import { once } from 'node:events'
import { createSecureServer } from 'node:http2'
import { createServer } from 'node:https'
import { certificate } from '@oneport/adapter-testsuite/parts'
import { connect } from '@oneport/testing'
import { setCookie } from 'hono/cookie'
import { attach, webSocket } from '../src/index.ts'
import { versions } from './versions.ts'

describe.each(versions)('%s', (_name, version) => {
  const { Hono, createAdaptorServer, serve } = version

  const build = () => {
    const app = new Hono()
    app.use(async (c, next) => {
      await next()
      setCookie(c, 'one', '1')
      setCookie(c, 'two', '2')
    })
    app.get(
      '/chat/:room',
      webSocket((socket, c) => socket.send(`${new URL(c.req.url).protocol} ${c.req.param('room')}`))
    )
    return app
  }
  const cookies = ['one=1; Path=/', 'two=2; Path=/']

  test('serve() returns a server that can be attached, and that closes its connections', async () => {
    const server = serve({ fetch: build().fetch, port: 0, hostname: '127.0.0.1' })
    const websockets = attach(server)
    await once(server, 'listening')
    const client = await connect(server, '/chat/lobby', { port: true })
    expect(await client.next()).toBe('http: lobby')
    expect(websockets.connections.size).toBe(1)
    server.close()
    expect((await client.closed).code).toBe(1001)
  })

  test('an HTTPS server works', async () => {
    const server = createAdaptorServer({ fetch: build().fetch, createServer, serverOptions: await certificate() })
    attach(server)
    const client = await connect(server, '/chat/lobby')
    expect(await client.next()).toBe('https: lobby')
    expect(client.response.headers['set-cookie']).toEqual(cookies)
  })

  test('an HTTP/2 server works with extended CONNECT, and with HTTP/1.1 next to it', async () => {
    const serverOptions = { ...(await certificate()), allowHTTP1: true }
    const server = createAdaptorServer({ fetch: build().fetch, createServer: createSecureServer, serverOptions })
    attach(server)
    for (const http2 of [true, false]) {
      const client = await connect(server, '/chat/lobby', { http2 })
      expect(await client.next()).toBe('https: lobby')
      expect(client.response.status).toBe(http2 ? 200 : 101)
      expect(client.response.headers['set-cookie']).toEqual(cookies)
    }
  })
})
