import * as first from '../src/index.ts'
import { ask, echo, useServers } from './servers.ts'
import { versions } from './versions.ts'

/** A second copy of this package and of core, as bundlers make them, each with its own state. */
let second = first
jest.isolateModules(() => {
  second = require('../src/index.ts')
})

describe.each(versions)('Two copies of the package in an application of %s', (_name, express) => {
  const { serve, connect } = useServers()

  test('are two different modules', () => {
    expect(second.wsUpgrade).not.toBe(first.wsUpgrade)
  })

  test('regression: attached the server twice', async () => {
    const app = express()
    const [one, other] = [first.wsUpgrade(), second.wsUpgrade()]
    app.use(one, other)
    app.get('/one', (req, res) => first.acceptWebSocket(req, res, echo))
    app.get('/other', (req, res) => second.acceptWebSocket(req, res, echo))
    const target = await serve(app)
    for (const path of ['/one', '/other']) expect(await ask(await connect(target, path), 'hello')).toBe('hello')
    expect(target.server.listenerCount('upgrade')).toBe(1)
    expect(one.connections.size).toBe(2)
    expect(other.connections).toEqual(one.connections)
    expect(() => other.attach(target.server)).toThrow('this server is already attached')
  })

  test('regression: an endpoint of one did not get the defaults of the other', async () => {
    const app = express()
    app.use(first.wsUpgrade({ allowedOrigins: ['https://app.example'], onRefused: () => {} }))
    app.get('/chat', (req, res) => second.acceptWebSocket(req, res, echo))
    const target = await serve(app)
    const own = `http://127.0.0.1:${target.port}`
    await expect(connect(target, '/chat', [], { origin: own })).rejects.toMatchObject({ statusCode: 403 })
    await connect(target, '/chat', [], { origin: 'https://app.example' })
  })

  test('regression: server options on the second one were ignored silently', () => {
    const app = express()
    app.use(first.wsUpgrade({ onError: () => {} }))
    expect(() => app.use(second.wsUpgrade({ onError: () => {} }))).toThrow(TypeError)
  })
})
