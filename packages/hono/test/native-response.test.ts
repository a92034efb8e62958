import { connect, expectRefused } from '@oneport/testing'
import { setCookie } from 'hono/cookie'
import { attach, webSocket } from '../src/index.ts'
import { versions } from './versions.ts'

/** The class of responses before `@hono/node-server` has replaced it, unless it must not. */
const NativeResponse = Response

describe.each(versions)('%s with overrideGlobalObjects: false', (_name, { Hono, createAdaptorServer }) => {
  test('accepts and refuses handshakes', async () => {
    const app = new Hono()
    app.use(async (c, next) => {
      await next()
      setCookie(c, 'one', '1')
      setCookie(c, 'two', '2')
    })
    app.get(
      '/',
      webSocket((socket) => socket.send('hello'))
    )
    const server = createAdaptorServer({ fetch: app.fetch, overrideGlobalObjects: false })
    attach(server, { onRefused: () => {} })
    const client = await connect(server, '/')
    expect(await client.next()).toBe('hello')
    const cookies = ['one=1; Path=/', 'two=2; Path=/']
    expect(client.response.headers['set-cookie']).toEqual(cookies)
    const refused = await expectRefused(server, '/', { origin: 'https://other.example' })
    expect([refused.status, refused.body]).toEqual([403, 'Origin "https://other.example" is not allowed here.\n'])
    expect(refused.headers['set-cookie']).toEqual(cookies)
    expect(Response).toBe(NativeResponse)
  })
})
