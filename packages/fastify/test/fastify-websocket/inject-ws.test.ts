import { once } from 'node:events'
import { certificate, closed, signal } from '@oneport/test-kit'
import Fastify, { type FastifyInstance } from 'fastify'
import type { WebSocket } from '../../src/index.ts'
import { echo, owned } from '../harness.ts'
import { appWith, both, ours } from './subjects.ts'

const clients: WebSocket[] = []

afterEach(() => {
  for (const client of clients.splice(0)) client.terminate()
})

async function inject(app: FastifyInstance, ...args: Parameters<FastifyInstance['injectWS']>): Promise<WebSocket> {
  const client = await app.injectWS(...args)
  clients.push(client)
  return client
}

async function answer(client: WebSocket, message: string): Promise<string> {
  client.send(message)
  return String((await once(client, 'message'))[0])
}

describe.each(both)('injectWS of %s', (_name, plugin) => {
  test('connects to a path, by default to /', async () => {
    const app = await appWith(plugin)
    app.get('/', { websocket: true }, (socket) => void socket.on('message', () => socket.send('root')))
    app.get('/echo', { websocket: true }, echo)
    await app.ready()
    expect(await answer(await inject(app), 'hi')).toBe('root')
    expect(await answer(await inject(app, '/echo?a=1'), 'hi')).toBe('hi')
  })

  test('applies the header fields and everything else of the upgrade context to the handshake', async () => {
    const app = await appWith(plugin)
    app.get('/', { websocket: true }, (socket, { headers, raw }) => {
      socket.on('message', () => socket.send(`${headers.api} ${(raw as { user?: string }).user}`))
    })
    await app.ready()
    const context = { headers: { api: 'key' }, user: 'ann' }
    expect(await answer(await inject(app, '/', context), 'hi')).toBe('key ann')
  })

  test('calls onInit before the handshake, and onOpen when it is open', async () => {
    const app = await appWith(plugin)
    app.get('/', { websocket: true }, echo)
    await app.ready()
    const order: [string, WebSocket][] = []
    const client = await inject(
      app,
      '/',
      {},
      { onInit: (ws) => void order.push(['init', ws]), onOpen: (ws) => void order.push(['open', ws]) }
    )
    expect(order.map(([name]) => name)).toEqual(['init', 'open'])
    for (const [, ws] of order) expect(ws).toBe(client)
  })

  test('rejects with the status of a refusal', async () => {
    const app = await appWith(plugin)
    app.get('/', { websocket: true, preValidation: async (_request, reply) => reply.code(401).send() }, echo)
    await app.ready()
    await expect(inject(app, '/')).rejects.toThrow('Unexpected server response: 401')
  })

  test('sees an end with terminate()', async () => {
    const app = await appWith(plugin)
    const ended = signal<number>()
    app.get('/', { websocket: true }, (socket) => void socket.once('close', ended.give))
    await app.ready()
    ;(await inject(app)).terminate()
    expect(await ended.given).toBe(1006)
  })

  const ends: [string, (socket: WebSocket) => unknown, code: number, messages: string[]][] = [
    ['terminates the connection', (socket) => socket.terminate(), 1006, []],
    ['terminates it in a microtask', async (socket) => Promise.resolve().then(() => socket.terminate()), 1006, []],
    ['terminates it in the next turn', (socket) => void setImmediate(() => socket.terminate()), 1006, []],
    ['closes it', (socket) => socket.close(4000, 'bye'), 4000, []],
    [
      'sends and terminates',
      (socket) => {
        socket.send('bye')
        socket.terminate()
      },
      1006,
      ['bye']
    ],
    [
      'throws',
      () => {
        throw new Error('broken')
      },
      1006,
      []
    ],
    ['rejects', async () => Promise.reject(new Error('broken')), 1006, []]
  ]

  test.each(ends)('regression: resolves, and closes after it, if the handler %s', async (_how, handler, code, sent) => {
    const app = await appWith(plugin)
    app.get('/', { websocket: true }, handler)
    await app.ready()
    const messages: string[] = []
    const ended = signal<number>()
    const onInit = (ws: WebSocket) => {
      ws.on('message', (data) => messages.push(String(data)))
      ws.on('close', ended.give)
    }
    await inject(app, '/', {}, { onInit })
    expect([await ended.given, messages]).toEqual([code, sent])
  })
})

describe('injectWS', () => {
  test('loses no message that the handler sends at once', async () => {
    const app = await appWith(ours)
    app.get('/', { websocket: true }, (socket) => {
      for (const word of ['one', 'two', 'three']) socket.send(word)
    })
    const client = await inject(app)
    const messages: string[] = []
    client.on('message', (data) => messages.push(String(data)))
    while (messages.length < 3) await once(client, 'message')
    expect(messages).toEqual(['one', 'two', 'three'])
  })

  test('waits until the app is ready, and opens no port', async () => {
    const app = owned(Fastify({ logger: { level: 'silent' } }) as FastifyInstance)
    await app.register(ours)
    app.get('/', { websocket: true }, echo)
    expect(await answer(await inject(app), 'hi')).toBe('hi')
    expect(app.server.listening).toBe(false)
  })

  test('applies the rules of every handshake, and has the address of this machine', async () => {
    const app = await appWith(ours, { allowedOrigins: 'same-origin', onRefused: () => {} })
    app.get('/', { websocket: true }, (socket, request) => socket.send(request.ip))
    await expect(inject(app, '/', { headers: { origin: 'https://evil.example' } })).rejects.toThrow('403')
    const client = await inject(app, '/', { headers: { origin: 'http://localhost' } })
    expect(String((await once(client, 'message'))[0])).toBe('127.0.0.1')
  })

  test('agrees on a subprotocol given in the header fields', async () => {
    const app = await appWith(ours)
    app.get('/', { websocket: { subprotocols: ['b'] } }, echo)
    expect((await inject(app, '/', { headers: { 'Sec-WebSocket-Protocol': 'a, b' } } as never)).protocol).toBe('b')
  })

  test('transfers messages of a megabyte in both directions, and a close', async () => {
    const app = await appWith(ours)
    app.get('/', { websocket: true }, echo)
    const client = await inject(app)
    expect(await answer(client, 'x'.repeat(1_000_000))).toHaveLength(1_000_000)
    client.close(4000, 'done')
    expect(await closed(client)).toEqual({ code: 4000, reason: 'done' })
  })

  test('is closed by app.close(), and the app waits for no port', async () => {
    const app = await appWith(ours)
    app.get('/', { websocket: true }, echo)
    const client = await inject(app)
    const [{ code }] = await Promise.all([closed(client), app.close()])
    expect(code).toBe(1005)
  })

  test('connects several clients at once, each with its own context', async () => {
    const app = await appWith(ours)
    app.get('/', { websocket: true }, (socket, { raw }) => socket.send((raw as { user?: string }).user ?? ''))
    const connected = await Promise.all(['ann', 'ben', 'cy'].map((user) => inject(app, '/', { user } as never)))
    const messages = await Promise.all(connected.map((client) => once(client, 'message')))
    expect(messages.map(([data]) => String(data))).toEqual(['ann', 'ben', 'cy'])
  })

  test.each([
    ['TLS', {}],
    ['HTTP/2 that allows HTTP/1.1', { http2: true, allowHTTP1: true }]
  ])('works on a server with %s', async (_kind, { http2, allowHTTP1 }: { http2?: boolean; allowHTTP1?: boolean }) => {
    const https = { ...(await certificate()), allowHTTP1 }
    const app = owned(Fastify({ https, http2, logger: { level: 'silent' } } as object) as FastifyInstance)
    await app.register(ours)
    app.get('/', { websocket: true }, (socket, { protocol }) => socket.send(protocol))
    const client = await inject(app, '/', { headers: { origin: 'https://localhost' } })
    expect(String((await once(client, 'message'))[0])).toBe('https')
  })

  test('reports a server that only speaks HTTP/2', async () => {
    const app = owned(Fastify({ http2: true, logger: { level: 'silent' } }) as unknown as FastifyInstance)
    await app.register(ours)
    await expect(app.injectWS('/')).rejects.toThrow('injectWS() speaks HTTP/1.1, which this server does not allow')
  })

  test('adds one listener to the server, whatever the number of clients', async () => {
    const app = await appWith(ours)
    app.get('/', { websocket: true }, echo)
    const before = app.server.listenerCount('request')
    for (let count = 0; count < 12; count++) await inject(app)
    expect(app.server.listenerCount('request')).toBe(before + 1)
  })

  test('rejects if the handshake does not reach the application', async () => {
    const app = await appWith(ours, { allowedOrigins: 'same-origin', onRefused: () => {} })
    await expect(inject(app, '/', { headers: { host: '///' } })).rejects.toThrow('400')
  })
})
