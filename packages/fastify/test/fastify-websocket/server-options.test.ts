import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { closed, handshake, refused, sendRaw } from '@oneport/test-kit'
import Fastify, { type FastifyInstance } from 'fastify'
import type { WebsocketPluginOptions } from '../../src/fastify-websocket/options.ts'
import { connect, echo, isOpen, keepLog, owned, start, warn } from '../harness.ts'
import { appWith, both, ours } from './subjects.ts'

describe.each(both)('%s', (_name, plugin) => {
  test('calls verifyClient after the hooks and before the handler', async () => {
    const order: string[] = []
    const verifyClient = ({ origin, secure, req }: { origin: string; secure: boolean; req: IncomingMessage }) => {
      order.push(`verify ${origin} ${secure} ${req.url}`)
      return req.url === '/yes'
    }
    const app = await appWith(plugin, { allowedOrigins: 'any', options: { verifyClient } })
    app.addHook('preHandler', async () => void order.push('hook'))
    app.get('/:word', { websocket: true }, () => void order.push('handler'))
    const target = await start(app)
    const headers = { origin: 'https://a.example' }
    await connect(target, '/yes', [], { headers })
    expect(await refused(connect(target, '/no', [], { headers }))).toBe(401)
    expect(order).toEqual([
      'hook',
      'verify https://a.example false /yes',
      'handler',
      'hook',
      'verify https://a.example false /no'
    ])
  })

  test('answers as a verifyClient with a callback says', async () => {
    const app = await appWith(plugin, {
      options: {
        verifyClient: (_info, next) => void setImmediate(next, false, 302, 'Over there.', { Location: '/login' })
      }
    })
    app.get('/', { websocket: true }, () => {})
    const response = await connect(await start(app), '/').catch((reason: IncomingMessage) => reason)
    const { statusCode, headers } = response as IncomingMessage
    const body = await (response as IncomingMessage).toArray()
    expect([statusCode, headers.location, String(body)]).toEqual([302, '/login', 'Over there.'])
  })

  test('waits for a verifyClient with a callback that accepts late', async () => {
    const app = await appWith(plugin, { options: { verifyClient: (_info, next) => void setImmediate(next, true) } })
    app.get('/', { websocket: true }, echo)
    expect(await isOpen(await connect(await start(app), '/'))).toBe(true)
  })

  test('lets handleProtocols choose among the offered subprotocols', async () => {
    const asked: unknown[] = []
    const handleProtocols = (protocols: Set<string>, { url }: IncomingMessage) => {
      asked.push([...protocols], url)
      return protocols.has('b') && 'b'
    }
    const app = await appWith(plugin, { options: { handleProtocols } })
    app.get('/', { websocket: true }, () => {})
    const target = await start(app)
    const { socket } = await connect(target, '/', ['a', 'b'])
    expect(socket.protocol).toBe('b')
    const { response } = await connect(target, '/')
    expect(response.headers).not.toHaveProperty('sec-websocket-protocol')
    expect(asked).toEqual([['a', 'b'], '/'])
  })

  test('supports maxPayload and perMessageDeflate', async () => {
    const app = await appWith(plugin, { options: { maxPayload: 10, perMessageDeflate: true } })
    app.get('/', { websocket: true }, (socket) => {
      socket.on('error', () => {})
    })
    const { socket, response } = await connect(await start(app), '/', [], { perMessageDeflate: true })
    expect(response.headers['sec-websocket-extensions']).toBe('permessage-deflate')
    socket.send('more than ten bytes')
    expect((await closed(socket)).code).toBe(1009)
  })

  test('accepts any size with maxPayload 0', async () => {
    const app = await appWith(plugin, { options: { maxPayload: 0 } })
    app.get('/', { websocket: true }, (socket) => {
      socket.on('message', (data: Buffer) => socket.send(data.length))
    })
    const { socket, next } = await connect(await start(app), '/')
    socket.send(Buffer.alloc(3_000_000))
    expect(await next()).toBe('3000000')
  })

  test('passes all other options on to ws', async () => {
    const app = await appWith(plugin, { options: { autoPong: false } })
    app.get('/', { websocket: true }, (socket) => {
      socket.on('ping', () => socket.send('a ping without a pong'))
    })
    const { socket, next } = await connect(await start(app), '/')
    socket.on('pong', () => expect('a pong').toBe('none'))
    socket.ping()
    expect(await next()).toBe('a ping without a pong')
  })
})

describe('verifyClient', () => {
  test('may be async', async () => {
    const app = await appWith(ours, { options: { verifyClient: async ({ req }) => req.url === '/yes' } })
    app.get('/:word', { websocket: true }, echo)
    const target = await start(app)
    expect(await isOpen(await connect(target, '/yes'))).toBe(true)
    expect(await refused(connect(target, '/no'))).toBe(401)
  })

  test('guards reply.acceptWebSocket() too', async () => {
    const app = await appWith(ours, { options: { verifyClient: () => false } })
    app.setNotFoundHandler((_request, reply) => reply.acceptWebSocket(echo))
    expect(await refused(connect(await start(app), '/'))).toBe(401)
  })

  test('security: allows no foreign origin that the rules refuse', async () => {
    const app = await appWith(ours, {
      allowedOrigins: 'same-origin',
      options: { verifyClient: () => true },
      onRefused: () => {}
    })
    app.get('/', { websocket: true }, echo)
    const headers = { origin: 'https://evil.example' }
    expect(await refused(connect(await start(app), '/', [], { headers }))).toBe(403)
  })

  test('is not called for an ordinary request', async () => {
    const app = await appWith(ours, { options: { verifyClient: () => expect('asked').toBe('not asked') as never } })
    app.get('/', { websocket: true }, echo)
    expect((await app.inject('/')).statusCode).toBe(404)
  })

  test.each([
    ['throws', () => JSON.parse('')],
    ['rejects', async () => JSON.parse('')],
    ['rejects beside its callback', async (_info: unknown, _next: unknown) => JSON.parse('')]
  ])('that %s gives a 500', async (_how, verifyClient) => {
    const app = await appWith(ours, { options: { verifyClient } })
    app.get('/', { websocket: true }, echo)
    expect(await refused(connect(await start(app), '/'))).toBe(500)
  })

  test('lets onSend hooks see its refusal once, and waits for them', async () => {
    const log = keepLog()
    const seen: number[] = []
    const app = await appWith(ours, { options: { verifyClient: () => false } }, { logger: log.options })
    app.addHook('onSend', async (_request, { statusCode }) => {
      seen.push(statusCode)
      await new Promise(setImmediate)
    })
    app.get('/', { websocket: true }, echo)
    const { status, rest } = await sendRaw(await start(app), handshake('/'))
    expect([status, rest, seen]).toEqual([401, 'Unauthorized', [401]])
    expect(log.lines.slice(1).filter(({ level }) => level >= warn)).toEqual([])
  })
})

describe('an option of ws that cannot be set here', () => {
  const wrong: [string, WebsocketPluginOptions['options'], string][] = [
    ['noServer', { noServer: true } as never, 'the plugin serves app.server; for a separate WebSocket server, use ws'],
    ['path', { path: '/ws' } as never, "use a route, such as app.get('/path', { websocket: true }, handler)"],
    ['port', { port: 0 } as never, 'use app.listen({ port })'],
    ['WebSocket', { WebSocket: class {} } as never, 'use listeners on the socket that the handler gets']
  ]

  test.each(wrong)('%s makes register reject, and says what to use instead', async (name, options, instead) => {
    const app = owned(Fastify({ logger: { level: 'silent' } }) as FastifyInstance)
    await expect(app.register(ours, { options })).rejects.toThrow(`options.${name}: cannot be set here; ${instead}`)
    expect(app.server.listenerCount('upgrade')).toBe(0)
  })

  test.each([{ noServer: false }, { path: undefined }])('is accepted as %j', async (options) => {
    await expect(appWith(ours, { options: options as never })).resolves.toBeDefined()
  })

  test.each(['host', 'backlog'])('%s is logged', async (name) => {
    const log = keepLog()
    await appWith(ours, { options: { [name]: 1 } }, { logger: log.options })
    const { level, msg } = log.lines[0] ?? {}
    expect([level, msg]).toEqual([warn, `options.${name} has no effect; use app.listen({ ${name} })`])
  })
})

describe('options', () => {
  test.each([
    ['options', { options: 'all' }, "fastifyWebsocket: options: expected an object with options of ws; got 'all'"],
    ['options', { options: null }, 'fastifyWebsocket: options: expected an object with options of ws; got null'],
    ['errorHandler', { errorHandler: {} }, 'fastifyWebsocket: errorHandler: expected a function; got [object Object]'],
    ['preClose', { preClose: 'now' }, "fastifyWebsocket: preClose: expected a function; got 'now'"],
    [
      'verifyClient',
      { options: { verifyClient: true } },
      'fastifyWebsocket: options.verifyClient: expected a function; got true'
    ],
    [
      'handleProtocols',
      { options: { handleProtocols: [] } },
      'fastifyWebsocket: options.handleProtocols: expected a function; got [object Array]'
    ],
    [
      'maxPayload',
      { options: { maxPayload: '1mb' } },
      'fastifyWebsocket: maxPayloadBytes: expected a whole number of bytes'
    ],
    [
      'closeTimeout',
      { options: { closeTimeout: -1 } },
      'fastifyWebsocket: closeTimeoutMs: expected a whole number of milliseconds'
    ]
  ])('that are wrong make register reject: %s', async (_name, options, message) => {
    const app = owned(Fastify({ logger: { level: 'silent' } }) as FastifyInstance)
    await expect(app.register(ours, options as never)).rejects.toThrow(message)
  })

  test.each<[string, WebsocketPluginOptions]>([
    ['maxPayloadBytes', { maxPayloadBytes: 10, options: { maxPayload: 10 } }],
    ['subprotocols', { subprotocols: ['a'], options: { handleProtocols: () => false } }],
    ['perMessageDeflate', { perMessageDeflate: true, options: { perMessageDeflate: true } }],
    ['closeTimeoutMs', { closeTimeoutMs: 10, options: { closeTimeout: 10 } }],
    ['ws', { ws: { autoPong: false }, options: { autoPong: false } }]
  ])('that set %s twice make register reject', async (name, options) => {
    const app = owned(Fastify({ logger: { level: 'silent' } }) as FastifyInstance)
    await expect(app.register(ours, options)).rejects.toThrow(
      `${name}: also set by an option of ws in options; remove one of them`
    )
  })

  test('that are undefined are ignored', async () => {
    const undefinedOptions = { maxPayload: undefined, verifyClient: undefined, handleProtocols: undefined }
    const app = await appWith(ours, { maxPayloadBytes: 10, options: undefinedOptions })
    app.get('/', { websocket: true }, (socket) => void socket.on('error', () => {}))
    const { socket } = await connect(await start(app), '/')
    socket.send('more than ten bytes')
    expect((await closed(socket)).code).toBe(1009)
  })
})

describe.each(both)('with %s the option server', (_name, plugin) => {
  test("may be the app's own", async () => {
    const app = owned(Fastify({ logger: { level: 'silent' } }) as FastifyInstance)
    await app.register(plugin, { options: { server: app.server } })
    app.get('/', { websocket: true }, echo)
    expect(await isOpen(await connect(await start(app), '/'))).toBe(true)
  })

  test('accepts the handshakes for the app, which closes their connections but not the server', async () => {
    const server = createServer((_req, res) => void res.end('its own'))
    try {
      const app = await appWith(plugin, { options: { server } })
      app.addHook('onRequest', async (_request, reply) => void reply.header('X-Name', 'a'))
      app.get('/', { websocket: true }, echo)
      await app.ready()
      await once(server.listen(0, '127.0.0.1'), 'listening')
      const { port } = server.address() as AddressInfo
      const inbox = await connect({ port }, '/')
      expect(await isOpen(inbox)).toBe(true)
      expect(await refused(connect({ port }, '/nowhere'))).toBe(404)
      expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('its own')
      const [{ code }] = await Promise.all([closed(inbox.socket), app.close()])
      expect([code, server.listenerCount('upgrade'), server.listening]).toEqual([1005, 0, true])
    } finally {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  })

  test('makes injectWS connect to it', async () => {
    const server = createServer()
    const app = await appWith(plugin, { options: { server } })
    app.get('/', { websocket: true }, (socket, { raw }) => {
      socket.on('message', () => socket.send((raw as { user?: string }).user ?? ''))
    })
    await app.ready()
    const client = await app.injectWS('/', { user: 'ann' } as never)
    client.send('who?')
    expect(String((await once(client, 'message'))[0])).toBe('ann')
    client.terminate()
  })
})
