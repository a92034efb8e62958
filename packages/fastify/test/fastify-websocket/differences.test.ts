import { once } from 'node:events'
import { closed, handshake, headArrived, refused, sendRaw } from '@oneport/test-kit'
import Fastify, { type FastifyInstance } from 'fastify'
import { connect, echo, isOpen, keepLog, owned, start, warn } from '../harness.ts'
import { appWith, both, ours, type Subject } from './subjects.ts'

const foreign = { headers: { origin: 'https://evil.example' } }

describe.each(both)('%s:', (_name, plugin) => {
  test('any web page may connect', async () => {
    const app = await appWith(plugin)
    app.get('/', { websocket: true }, echo)
    expect(await isOpen(await connect(await start(app), '/', [], foreign))).toBe(true)
  })

  test('an ordinary route accepts a handshake without calling its handler, and closes it', async () => {
    const log = keepLog()
    const app = await appWith(plugin, {}, { logger: log.options })
    app.get('/plain', async () => expect('called').toBe('not called'))
    const { socket } = await connect(await start(app), '/plain')
    expect((await closed(socket)).code).toBe(1005)
    const { path } = await log.line(({ msg }) => msg?.startsWith('closed incoming websocket connection') === true)
    expect(path).toBe('/plain')
    expect((await app.inject({ method: 'HEAD', url: '/plain' })).statusCode).toBe(500)
  })

  test('an ordinary request at a { websocket: true } route is 404 without a body', async () => {
    const app = await appWith(plugin)
    app.get('/', { websocket: true }, echo)
    const { statusCode, body } = await app.inject('/')
    expect([statusCode, body]).toEqual([404, ''])
    expect((await app.inject({ method: 'HEAD', url: '/' })).statusCode).toBe(404)
  })

  test('the first offered subprotocol is chosen', async () => {
    const app = await appWith(plugin)
    app.get('/', { websocket: true }, echo)
    const target = await start(app)
    expect((await connect(target, '/', ['b', 'a'])).socket.protocol).toBe('b')
    expect((await connect(target, '/')).socket.protocol).toBe('')
  })

  test('a message may have 2 MiB', async () => {
    const app = await appWith(plugin)
    app.get('/', { websocket: true }, echo)
    const { socket, next } = await connect(await start(app), '/')
    socket.send('x'.repeat(2_097_152))
    expect(await next()).toHaveLength(2_097_152)
  })

  test('app.close() closes without a code', async () => {
    const app = await appWith(plugin)
    app.get('/', { websocket: true }, echo)
    const { socket } = await connect(await start(app), '/')
    const [[code]] = await Promise.all([once(socket, 'close'), app.close()])
    expect(code).toBe(1005)
  })

  test('a handler that throws has its error logged and its connection cut', async () => {
    const log = keepLog()
    const app = await appWith(plugin, {}, { logger: log.options })
    app.get('/', { websocket: true }, () => {
      throw new Error('broken')
    })
    const { socket } = await connect(await start(app), '/')
    expect((await closed(socket)).code).toBe(1006)
    expect((await log.line(({ err }) => err?.message === 'broken')).msg).toBe('broken')
  })

  test('neither onSend hooks nor the fields of the reply reach the 101', async () => {
    const app = await appWith(plugin)
    app.addHook('onSend', async () => expect('called').toBe('not called'))
    app.addHook('onRequest', async (_request, reply) => void reply.header('X-Name', 'a'))
    app.get('/', { websocket: true }, echo)
    const { status, fields } = await sendRaw(await start(app), handshake('/'), headArrived)
    expect([status, fields.has('x-name')]).toEqual([101, false])
  })

  test('ordinary routes may be registered before the plugin', async () => {
    const app = owned(Fastify({ logger: { level: 'silent' } }) as FastifyInstance)
    app.get('/early', async () => 'early')
    await app.register(plugin)
    app.get('/', { websocket: true }, echo)
    expect(await isOpen(await connect(await start(app), '/'))).toBe(true)
    expect((await app.inject('/early')).body).toBe('early')
  })
})

describe('a listener for connection of app.websocketServer', () => {
  const broken: [string, () => unknown][] = [
    ['throws', () => JSON.parse('')],
    ['rejects', async () => JSON.parse('')]
  ]

  test.each(broken)('that %s is reported, and closes only this connection', async (_how, listener) => {
    const onError = jest.fn()
    const app = await appWith(ours, { onError })
    app.websocketServer.once('connection', listener)
    app.get('/', { websocket: true }, echo)
    const target = await start(app)
    expect((await closed((await connect(target, '/?token=a')).socket)).code).toBe(1011)
    expect(onError).toHaveBeenCalledTimes(1)
    expect(onError.mock.calls[0][1].request.path).toBe('/')
    expect(await isOpen(await connect(target, '/'))).toBe(true)
  })
})

describe('the price of the old behaviour', () => {
  const priceOf = async (options: object): Promise<string[]> => {
    const log = keepLog()
    await appWith(ours, options, { logger: log.options })
    return log.lines.filter(({ level }) => level === warn).map(({ msg }) => msg ?? '')
  }

  test('is logged once', async () => {
    const [line, ...others] = await priceOf({})
    expect(others).toEqual([])
    expect(line).toMatch(
      /^@oneport\/fastify\/fastify-websocket behaves like @fastify\/websocket: every GET route answers/
    )
    expect(line).toContain('every web page may connect with the cookies of its visitors (allowedOrigins)')
    expect(line).toContain('dead connections are not detected (heartbeat)')
  })

  test('is logged by each application that has a logger', async () => {
    expect([await priceOf({}), await priceOf({})]).toEqual([[expect.any(String)], [expect.any(String)]])
  })

  test('is one process warning for all applications without a logger', async () => {
    const emitWarning = jest.spyOn(process, 'emitWarning').mockImplementation(() => {})
    for (let count = 0; count < 2; count++) await appWith(ours, {}, {})
    expect(emitWarning.mock.calls).toEqual([
      [
        expect.stringMatching(/^@oneport\/fastify\/fastify-websocket behaves like .*every web page may connect/),
        { code: 'ONEPORT_FASTIFY' }
      ]
    ])
    await appWith(ours, { allowedOrigins: 'same-origin' }, {})
    expect(emitWarning).toHaveBeenCalledTimes(2)
  })

  test('does not mention options that are set, and these apply', async () => {
    const options = { allowedOrigins: ['https://app.example'], heartbeat: {}, options: { maxPayload: 10 } }
    const [line] = await priceOf(options)
    expect(line).not.toMatch(/allowedOrigins|heartbeat|maxPayloadBytes/)
    const app = await appWith(ours, { ...options, onRefused: () => {} })
    app.get('/', { websocket: true }, echo)
    expect(await refused(connect(await start(app), '/', [], foreign))).toBe(403)
  })

  test('includes a line that names routes registered first', async () => {
    const log = keepLog()
    const app = owned(Fastify({ logger: log.options }))
    app.get('/early', async () => 'early')
    await app.register(ours)
    expect(log.lines[0]?.msg).toMatch(
      /^fastifyWebsocket loaded after the route \/early, which therefore cannot be a WebSocket endpoint\./
    )
  })
})

describe('unlike with @fastify/websocket,', () => {
  /** The result with their plugin, and the result with ours. */
  const differs = (what: (plugin: Subject[1]) => Promise<unknown>): Promise<unknown[]> =>
    Promise.all(both.map(([, plugin]) => what(plugin)))

  test.each([
    ['without Host', { Host: undefined }, 400],
    ['of version 8', { 'Sec-WebSocket-Version': '8' }, 426]
  ])('a handshake %s is refused', async (_how, fields, status) => {
    const statuses = await differs(async (plugin) => {
      const app = await appWith(plugin, { onRefused: () => {} })
      app.get('/', { websocket: true }, echo)
      return (await sendRaw(await start(app), handshake('/', fields), headArrived)).status
    })
    expect(statuses).toEqual([101, status])
  })

  test('an accepted handshake triggers onResponse, with status 101', async () => {
    const statuses = await differs(async (plugin) => {
      const statuses: number[] = []
      const app = await appWith(plugin)
      app.addHook('onResponse', async (_request, { statusCode }) => void statuses.push(statusCode))
      app.get('/', { websocket: true }, echo)
      const inbox = await connect(await start(app), '/')
      await isOpen(inbox)
      inbox.socket.close()
      await closed(inbox.socket)
      await app.close()
      return statuses
    })
    expect(statuses).toEqual([[], [101]])
  })

  test('websocketServer.on() throws for events that never happen', async () => {
    const app = await appWith(ours)
    const listen = (event: string) => () => app.websocketServer.on(event as 'close', () => {})
    expect(listen('headers')).toThrow(
      "There is no event 'headers' here; use reply.header() in a hook to set header fields of the 101"
    )
    expect(listen('wsClientError')).toThrow("use the plugin's option onRefused")
    // Every object has these properties, but they are not events.
    for (const event of ['toString', 'constructor', '__proto__']) expect(listen(event)).not.toThrow()
  })
})
