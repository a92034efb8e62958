import { handshake, sendRaw } from '@oneport/test-kit'
import * as first from '../src/index.ts'
import { ask, echo, useServers } from './servers.ts'
import { versions } from './versions.ts'

/** A second copy of this package and of core, as bundlers make them, each with its own state. */
let second = first
jest.isolateModules(() => {
  second = require('../src/index.ts')
})

describe.each(versions)('Two copies of the package in a process with %s', (_name, Koa) => {
  const { serve, connect } = useServers()

  test('are two different modules', () => {
    expect(second.wsUpgrade).not.toBe(first.wsUpgrade)
  })

  test('attach the server of one application once', async () => {
    const [one, other] = [first.wsUpgrade(), second.wsUpgrade()]
    const app = new Koa()
    app.use(one).use(other)
    app.use((ctx) => ctx.acceptWebSocket(echo))
    const target = await serve(app)
    expect(await ask(await connect(target, '/'), 'hello')).toBe('hello')
    expect(target.server.listenerCount('upgrade')).toBe(1)
    expect([one.connections.size, other.connections.size]).toEqual([1, 1])
    expect(() => other.attach(target.server)).toThrow('this server is already attached')
  })

  test('give the first handshake the options of the copy in its application', async () => {
    const refusals: string[] = []
    const websockets = second.wsUpgrade({ maxConnections: 1, onRefused: ({ code }) => refusals.push(code) })
    first.wsUpgrade()
    const app = new Koa()
    app.use(websockets)
    app.use((ctx) => ctx.acceptWebSocket(echo))
    const target = await serve(app)
    expect(await ask(await connect(target, '/'), 'hello')).toBe('hello')
    expect((await sendRaw(target, handshake('/'))).status).toBe(503)
    expect([refusals, websockets.connections.size]).toEqual([['HANDSHAKE_UNAVAILABLE'], 1])
  })

  test('share the defaults for endpoints', async () => {
    const app = new Koa()
    app.use(first.wsUpgrade({ allowedOrigins: ['https://app.example'], onRefused: () => {} }))
    app.use(second.wsUpgrade())
    app.use((ctx) => ctx.acceptWebSocket(echo))
    const target = await serve(app)
    const own = `http://127.0.0.1:${target.port}`
    await expect(connect(target, '/', [], { origin: own })).rejects.toMatchObject({ statusCode: 403 })
    await connect(target, '/', [], { origin: 'https://app.example' })
  })
})
