import { once } from 'node:events'
import { closed, handshake, headArrived, refused, sendRaw } from '@oneport/test-kit'
import Fastify, { type FastifyInstance } from 'fastify'
import { wsPlugin } from '../src/index.ts'
import { all, appWith, compatible, former, ours, type Subject } from './former.ts'
import { connect, echo, isOpen, keepLog, makeApp, owned, start, warn } from './harness.ts'

const foreign = { headers: { origin: 'https://evil.example' } }

describe.each(former)('as ever with %s', (...subject) => {
  test('any web page may connect', async () => {
    const app = await appWith(subject)
    app.get('/', { websocket: true }, echo)
    expect(await isOpen(await connect(await start(app), '/', [], foreign))).toBe(true)
  })

  test('an ordinary route accepts a handshake without calling its handler, and closes it', async () => {
    const log = keepLog()
    const app = await appWith(subject, {}, { logger: log.options })
    app.get('/plain', async () => expect('called').toBe('not called'))
    const { socket } = await connect(await start(app), '/plain')
    expect((await closed(socket)).code).toBe(1005)
    const { path } = await log.line(({ msg }) => msg?.startsWith('closed incoming websocket connection') === true)
    expect(path).toBe('/plain')
    expect((await app.inject({ method: 'HEAD', url: '/plain' })).statusCode).toBe(500)
  })

  test('an ordinary request at a { websocket: true } route is 404 without a body', async () => {
    const app = await appWith(subject)
    app.get('/', { websocket: true }, echo)
    const { statusCode, body } = await app.inject('/')
    expect([statusCode, body]).toEqual([404, ''])
    expect((await app.inject({ method: 'HEAD', url: '/' })).statusCode).toBe(404)
  })

  test('the first subprotocol that is offered is answered', async () => {
    const app = await appWith(subject)
    app.get('/', { websocket: true }, echo)
    const target = await start(app)
    expect((await connect(target, '/', ['b', 'a'])).socket.protocol).toBe('b')
    expect((await connect(target, '/')).socket.protocol).toBe('')
  })

  test('a message may have 2 MiB', async () => {
    const app = await appWith(subject)
    app.get('/', { websocket: true }, echo)
    const { socket, next } = await connect(await start(app), '/')
    socket.send('x'.repeat(2_097_152))
    expect(await next()).toHaveLength(2_097_152)
  })

  test('app.close() closes without a code', async () => {
    const app = await appWith(subject)
    app.get('/', { websocket: true }, echo)
    const { socket } = await connect(await start(app), '/')
    const [[code]] = await Promise.all([once(socket, 'close'), app.close()])
    expect(code).toBe(1005)
  })

  test('a handler that throws has its error logged and its connection cut', async () => {
    const log = keepLog()
    const app = await appWith(subject, {}, { logger: log.options })
    app.get('/', { websocket: true }, () => {
      throw new Error('broken')
    })
    const { socket } = await connect(await start(app), '/')
    expect((await closed(socket)).code).toBe(1006)
    expect((await log.line(({ err }) => err?.message === 'broken')).msg).toBe('broken')
  })

  test('neither onSend hooks nor the fields of the reply reach the 101', async () => {
    const app = await appWith(subject)
    app.addHook('onSend', async () => expect('called').toBe('not called'))
    app.addHook('onRequest', async (_request, reply) => void reply.header('X-Name', 'a'))
    app.get('/', { websocket: true }, echo)
    const { status, fields } = await sendRaw(await start(app), handshake('/'), headArrived)
    expect([status, fields.has('x-name')]).toEqual([101, false])
  })

  test('ordinary routes may come before the plugin', async () => {
    const app = owned(Fastify({ logger: { level: 'silent' } }) as FastifyInstance)
    app.get('/early', async () => 'early')
    await app.register(subject[1].default)
    app.get('/', { websocket: true }, echo)
    expect(await isOpen(await connect(await start(app), '/'))).toBe(true)
    expect((await app.inject('/early')).body).toBe('early')
  })
})

describe('better with @oneport/fastify', () => {
  test('only pages of the same origin connect', async () => {
    const app = await makeApp({}, { onRefused: () => {} })
    app.get('/', { websocket: true }, echo)
    expect(await refused(connect(await start(app), '/', [], foreign))).toBe(403)
  })

  test('an ordinary route answers a handshake as any GET', async () => {
    const app = await makeApp()
    app.get('/plain', async () => 'plain')
    expect(await refused(connect(await start(app), '/plain'))).toBe(200)
  })

  test('an ordinary request at a { websocket: true } route learns what the URL is for', async () => {
    const app = await makeApp()
    app.get('/', { websocket: true }, echo)
    const { statusCode, body } = await app.inject('/')
    expect([statusCode, body]).toEqual([426, expect.stringContaining('This URL is a WebSocket endpoint')])
  })

  test('ordinary routes keep the handler that they have', async () => {
    const app = await makeApp()
    const handlers: unknown[] = []
    app.addHook('onRoute', ({ handler }) => void handlers.push(handler))
    const handler = async () => 'plain'
    app.get('/plain', handler)
    expect(handlers).toEqual([handler, handler])
  })

  test('no subprotocol is answered that the endpoint does not name', async () => {
    const app = await makeApp()
    app.get('/', { websocket: true }, echo)
    const { fields } = await sendRaw(
      await start(app),
      handshake('/', { 'Sec-WebSocket-Protocol': 'bearer.secret' }),
      headArrived
    )
    expect(fields.has('sec-websocket-protocol')).toBe(false)
  })

  test.each([
    ['1001', {}, 1001],
    ['what drain says where preClose leaves them open', { preClose: async () => {}, drain: { code: 1012 } }, 1012]
  ])('app.close() closes connections with %s', async (_code, options, expected) => {
    const app = await makeApp({}, options)
    app.get('/', { websocket: true }, echo)
    const { socket } = await connect(await start(app), '/')
    const [[code]] = await Promise.all([once(socket, 'close'), app.close()])
    expect(code).toBe(expected)
  })
})

describe('a listener for connection of app.websocketServer', () => {
  const broken: [string, () => unknown][] = [
    ['throws', () => JSON.parse('')],
    ['rejects', async () => JSON.parse('')]
  ]

  test.each(broken)('that %s is reported, and ends this one connection', async (_how, listener) => {
    const onError = jest.fn()
    const app = await makeApp({}, { onError })
    app.websocketServer.once('connection', listener)
    app.get('/', { websocket: true }, echo)
    const target = await start(app)
    expect((await closed((await connect(target, '/?token=a')).socket)).code).toBe(1011)
    expect(onError).toHaveBeenCalledTimes(1)
    expect(onError.mock.calls[0][1].request.path).toBe('/')
    expect(await isOpen(await connect(target, '/'))).toBe(true)
  })
})

describe('the price of compatibility', () => {
  const priceOf = async (options: object): Promise<string[]> => {
    const log = keepLog()
    await appWith(compatible, options, { logger: log.options })
    return log.lines.filter(({ level }) => level === warn).map(({ msg }) => msg ?? '')
  }

  test('is logged once', async () => {
    const [line, ...others] = await priceOf({})
    expect(others).toEqual([])
    expect(line).toMatch(/^compatibility: '@fastify\/websocket' brings its behaviour back: every GET route answers/)
    expect(line).toContain('every web page may connect with the cookies of its visitors (allowedOrigins)')
    expect(line).toContain('clients that are gone are not noticed (heartbeat)')
  })

  test('is not paid for what is set, and what is set holds', async () => {
    const options = { allowedOrigins: ['https://app.example'], heartbeat: {}, options: { maxPayload: 10 } }
    const [line] = await priceOf(options)
    expect(line).not.toMatch(/allowedOrigins|heartbeat|maxPayloadBytes/)
    const app = await appWith(compatible, { ...options, onRefused: () => {} })
    app.get('/', { websocket: true }, echo)
    expect(await refused(connect(await start(app), '/', [], foreign))).toBe(403)
  })

  test('includes a line that names the routes which came first', async () => {
    const log = keepLog()
    const app = owned(Fastify({ logger: log.options }))
    app.get('/early', async () => 'early')
    await app.register(wsPlugin, { compatibility: '@fastify/websocket' })
    expect(log.lines[0]?.msg).toMatch(/^wsPlugin must be registered before the routes: \/early came first/)
  })

  test('is nothing where it is not set', async () => {
    const log = keepLog()
    await appWith(ours, {}, { logger: log.options })
    expect(log.lines).toEqual([])
  })
})

describe('what compatibility does not bring back', () => {
  /** The same everywhere but with the original. */
  const differs = async (what: (subject: Subject) => Promise<unknown>): Promise<unknown[]> => {
    const seen = await Promise.all(all.map(what))
    expect(seen[1]).toEqual(seen[2])
    return seen.slice(0, 2)
  }

  test.each([
    ['without Host', { Host: undefined }, 400],
    ['of version 8', { 'Sec-WebSocket-Version': '8' }, 426]
  ])('a handshake %s', async (_how, fields, status) => {
    const statuses = await differs(async (subject) => {
      const app = await appWith(subject, { onRefused: () => {} })
      app.get('/', { websocket: true }, echo)
      return (await sendRaw(await start(app), handshake('/', fields), headArrived)).status
    })
    expect(statuses).toEqual([101, status])
  })

  test('a handshake that is accepted has no onResponse', async () => {
    const statuses = await differs(async (subject) => {
      const statuses: number[] = []
      const app = await appWith(subject)
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

  test('websocketServer.on() takes events that never come', async () => {
    const app = await makeApp()
    const listen = (event: string) => () => app.websocketServer.on(event as 'close', () => {})
    expect(listen('headers')).toThrow(
      "websocketServer.on('headers'): there is no such event here; reply.header() in a hook sets fields of the 101"
    )
    expect(listen('wsClientError')).toThrow("the plugin's option onRefused hears of refused handshakes")
    // Every object has these, which are no events.
    for (const event of ['toString', 'constructor', '__proto__']) expect(listen(event)).not.toThrow()
  })
})
