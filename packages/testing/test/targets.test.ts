import { once } from 'node:events'
import http, { createServer } from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { acceptWebSocket, attach, type HandshakeRequest, type HandshakeResponse } from '@oneport/core'
import * as forExpress from '@oneport/express'
import { wsPlugin } from '@oneport/fastify'
import * as forKoa from '@oneport/koa'
import { certificate } from '@oneport/test-kit'
import express from 'express'
import Fastify from 'fastify'
import Koa from 'koa'
import { pages } from '../src/docs.ts'
import { type ConnectOptions, connect, expectRefused, type Target } from '../src/index.ts'
import { accepting } from './server.ts'

let servers: http.Server[] = []

afterEach(async () => {
  await Promise.all(servers.map((server) => server.listening && once(server.close(), 'close')))
  servers = []
})

const hello = () => accepting((socket) => socket.send('hello'))

/** Makes a server listen, as an application does. */
async function listening<Server extends http.Server>(server: Server, ...where: [] | [host: string]): Promise<number> {
  servers.push(server)
  await once(server.listen(0, ...(where.length === 0 ? ['127.0.0.1'] : where)), 'listening')
  return (server.address() as AddressInfo).port
}

async function greeted(...args: Parameters<typeof connect>): Promise<void> {
  await using client = await connect(...args)
  expect(await client.next()).toBe('hello')
}

describe('a connection in memory', () => {
  test('opens no handle', async () => {
    // Handles of earlier tests may still be closing.
    const handles = (): number => process.getActiveResourcesInfo().filter((kind) => /TCP|TLS/.test(kind)).length
    const before = handles()
    const server = hello()
    const client = await connect(server)
    await client.next()
    expect(server.listening).toBe(false)
    expect(handles()).toBeLessThanOrEqual(before)
    await client.close()
  })

  test('can be one of many to the same application', async () => {
    const app = express().set('env', 'test')
    app.use(forExpress.wsUpgrade({ maxConnections: 2, onRefused: () => {} }))
    app.get('/', (req, res) => forExpress.acceptWebSocket(req, res, () => {}))
    const clients = [await connect(app), await connect(app)]
    expect((await expectRefused(app)).status).toBe(503)
    await clients[0]?.close()
    clients.push(await connect(app))
    for (const client of clients) client.terminate()
  })

  test('can be to a server that already listens', async () => {
    const server = hello()
    await listening(server)
    await greeted(server)
  })
})

describe('a connection over a port', () => {
  const port = { port: true }

  test('lets the server listen until the last client has closed', async () => {
    const server = hello()
    const [first, second] = await Promise.all([connect(server, '/', port), connect(server, '/', port)])
    expect((server.address() as AddressInfo).address).toBe('127.0.0.1')
    await first?.close()
    expect(server.listening).toBe(true)
    second?.terminate()
    await second?.closed
    expect(server.listening).toBe(false)
    await greeted(server, '/', port)
    expect(server.listening).toBe(false)
  })

  test('closes the port after a refusal, and after a handshake without an answer', async () => {
    const server = createServer()
    attach(server, (req, res) => {
      if (req.url === '/refused') res.writeHead(401).end()
    })
    await expectRefused(server, '/refused', port)
    expect(server.listening).toBe(false)
    await expect(connect(server, '/silent', { ...port, timeoutMs: 250 })).rejects.toThrow('Nothing was received')
    expect(server.listening).toBe(false)
  })

  test('leaves a server open that listened before', async () => {
    const server = hello()
    await listening(server)
    await greeted(server, '/', port)
    expect(server.listening).toBe(true)
  })

  test.each(['::1', '::'])('reaches a server that listens at %s', async (host) => {
    const server = hello()
    await listening(server, host)
    await greeted(server, '/', port)
  })

  test('reaches a server that listens at a path', async () => {
    const server = hello()
    servers.push(server)
    await once(server.listen(join(tmpdir(), `oneport-testing-${process.pid}.sock`)), 'listening')
    await greeted(server, '/', port)
  })

  test('is closed with 1001 when the server closes', async () => {
    const server = hello()
    await using client = await connect(server, '/', port)
    server.close()
    expect(await client.closed).toEqual({ code: 1001, reason: '', clean: true })
  })
})

test.each([
  ['in memory', false],
  ['over a port', true]
])('a connection %s is open, and has the last message, if the handler terminates at once', async (_way, port) => {
  const server = accepting((socket) => {
    socket.send('bye')
    socket.terminate()
  })
  const client = await connect(server, '/', { port })
  expect(client.response.status).toBe(101)
  expect(await client.next()).toBe('bye')
  expect(await client.closed).toEqual({ code: 1006, reason: '', clean: false })
})

describe('a URL', () => {
  test('may be a string or a URL, with ws: or http:, with or without a path', async () => {
    const server = http.createServer()
    attach(server, (req, res) => acceptWebSocket(req, res, (socket) => socket.send(String(req.url))))
    const port = await listening(server)
    const reached = async (target: Target, path?: string): Promise<unknown> => {
      await using client = await connect(target, path)
      return client.next()
    }
    expect(await reached(`ws://127.0.0.1:${port}/a?b=c`)).toBe('/a?b=c')
    expect(await reached(new URL(`http://127.0.0.1:${port}/a`), '/b')).toBe('/b')
    expect(await reached(`ws://localhost:${port}`)).toBe('/')
  })

  test('has its certificate verified', async () => {
    const pems = await certificate()
    const server = https.createServer(pems)
    attach(server, (req, res) => acceptWebSocket(req, res, (socket) => socket.send('hello')))
    const url = `wss://localhost:${await listening(server)}/`
    await expect(connect(url)).rejects.toThrow('self-signed certificate')
    await greeted(url, undefined, { tls: { rejectUnauthorized: false } })
    await greeted(url, undefined, { tls: { ca: pems.cert } })
  })

  test('at which nothing listens is an error', async () => {
    const server = hello()
    const port = await listening(server)
    await once(server.close(), 'close')
    await expect(connect(`ws://127.0.0.1:${port}/chat`)).rejects.toThrow(
      `connect: the handshake of /chat failed: connect ECONNREFUSED 127.0.0.1:${port}`
    )
  })
})

describe('TLS in memory', () => {
  test('verifies the certificate on request', async () => {
    const pems = await certificate()
    const server = https.createServer(pems)
    attach(server, (req, res) => acceptWebSocket(req, res, (socket) => socket.send('hello')))
    await expect(connect(server, '/', { tls: { rejectUnauthorized: true } })).rejects.toThrow('self-signed certificate')
    await greeted(server, '/', { tls: { rejectUnauthorized: true, ca: pems.cert } })
  })

  test('sends a client certificate', async () => {
    const pems = await certificate()
    const server = https.createServer({ ...pems, ca: pems.cert, requestCert: true, rejectUnauthorized: false })
    attach(server, (req, res) =>
      acceptWebSocket(req, res, (socket) => {
        const { subject } = (req.socket as import('node:tls').TLSSocket).getPeerCertificate()
        socket.send(subject?.CN ?? 'nobody')
      })
    )
    const seen = async (options: ConnectOptions): Promise<unknown> => {
      await using client = await connect(server, '/', options)
      return client.next()
    }
    expect(await seen({ tls: pems })).toBe('localhost')
    expect(await seen({})).toBe('nobody')
  })
})

describe('HTTP/2', () => {
  test('is used for servers that support it, and HTTP/1.1 on request', async () => {
    const listener = (req: HandshakeRequest, res: HandshakeResponse): unknown =>
      acceptWebSocket(req, res, (socket) => socket.send((req as http.IncomingMessage).httpVersion))
    const server = http2.createSecureServer({ ...(await certificate()), allowHTTP1: true }, listener)
    attach(server, listener)
    const version = async (options: ConnectOptions): Promise<unknown> => {
      await using client = await connect(server, '/', options)
      return client.next()
    }
    expect(await version({})).toBe('2.0')
    expect(await version({ http2: false })).toBe('1.1')
  })

  test('reports a server that does not accept WebSockets over it', async () => {
    const server = http2.createSecureServer(await certificate())
    await expect(connect(server)).rejects.toThrow(
      'connect: the handshake of / failed: the server does not offer WebSockets over HTTP/2 (RFC 8441 §3)'
    )
  })

  test('reports a server that does not support it', async () => {
    await expect(connect(https.createServer(await certificate()), '/', { http2: true })).rejects.toThrow(
      'connect: the handshake of / failed: '
    )
  })
})

test('Fastify is made ready, with its plugins', async () => {
  const app = Fastify()
  void app.register(wsPlugin)
  void app.register((scope, _options, done) => {
    scope.get('/', { websocket: true }, (socket) => socket.send('hello'))
    done()
  })
  await greeted(app)
  await app.close()
})

test('an application that closes closes its clients in memory too', async () => {
  const app = Fastify()
  await app.register(wsPlugin)
  app.get('/', { websocket: true }, () => {})
  const client = await connect(app)
  await app.close()
  expect(await client.closed).toEqual({ code: 1001, reason: '', clean: true })

  const other = express()
  const websockets = forExpress.wsUpgrade()
  other.use(websockets)
  other.get('/', (req, res) => forExpress.acceptWebSocket(req, res, () => {}))
  const guest = await connect(other)
  expect(await websockets.drain({ code: 1012 })).toEqual({ closed: 1, terminated: 0 })
  expect(await guest.closed).toEqual({ code: 1012, reason: '', clean: true })
})

test('all connections to a Koa application share its server', async () => {
  const app = new Koa()
  const websockets = forKoa.wsUpgrade()
  app.use(websockets)
  app.use((ctx) => ctx.acceptWebSocket((socket) => socket.send('welcome')))
  const clients = [await connect(app), await connect(app)]
  for (const client of clients) expect(await client.next()).toBe('welcome')
  expect(websockets.connections.size).toBe(2)
  expect(await websockets.drain()).toEqual({ closed: 2, terminated: 0 })
})

test('an error of a plugin of Fastify rejects connect()', async () => {
  const app = Fastify()
  void app.register((_scope, _options, done) => done(new Error('no database')))
  await expect(connect(app)).rejects.toThrow('no database')
})

test('a plain GET is answered on the server of an application, and a handshake where nothing is attached', async () => {
  const { status, body } = await expectRefused((_req, res) => void res.end('only HTTP here'))
  expect([status, body]).toEqual([200, 'only HTTP here'])
})

describe('a mistake in the call', () => {
  const wrong: [what: string, args: unknown[], sentence: string][] = [
    ['a target', [7], 'connect: expected an Express or Koa application, a Fastify instance, a server or a URL; got 7'],
    ['no target', [undefined], 'a server or a URL; got undefined'],
    [
      'the scheme',
      ['ftp://localhost'],
      'connect: expected a URL with ws:, wss:, http: or https:; got "ftp://localhost"'
    ],
    ['a URL', ['chat'], 'connect: expected a URL with ws:, wss:, http: or https:; got "chat"'],
    ['a URL object', [new URL('ftp://localhost')], 'http: or https:; got ftp://localhost/'],
    ['the path', [hello(), 'chat'], `connect: path: expected a string that starts with '/'; got "chat"`],
    ['an option', [hello(), '/', { cookies: {} }], `connect: unknown option 'cookies'; see ${pages}/testing.md`],
    [
      'the name of an option',
      [hello(), '/', { protocols: [] }],
      "unknown option 'protocols'; did you mean subprotocols?"
    ],
    ['a number', [hello(), '/', { timeoutMs: '99' }], 'got "99"; did you mean 99?'],
    ['the options', [hello(), '/', null], 'connect: options: expected an object; got null'],
    [
      'headers',
      [hello(), '/', { headers: { a: 1 } }],
      'headers: expected an object of strings, or of lists of strings'
    ],
    ['origin', [hello(), '/', { origin: true }], "origin: expected a string such as 'https://app.example'"],
    ['subprotocols', [hello(), '/', { subprotocols: 'a' }], 'subprotocols: expected a list of strings; got "a"'],
    ['perMessageDeflate', [hello(), '/', { perMessageDeflate: {} }], 'perMessageDeflate: expected true or false'],
    ['http2', [hello(), '/', { http2: 2 }], 'http2: expected true or false; got 2'],
    ['tls', [hello(), '/', { tls: true }], 'tls: expected an object with options of tls.connect()'],
    ['port', [hello(), '/', { port: 3000 }], 'port: expected true or false; got 3000'],
    ['agent', [hello(), '/', { agent: {} }], 'agent: expected an agent of supertest, with a cookie jar'],
    ['timeoutMs', [hello(), '/', { timeoutMs: 0 }], 'timeoutMs: expected a number of milliseconds above 0, or Infinity']
  ]

  test.each(wrong)('in %s rejects with a TypeError that says what was expected', async (_what, args, sentence) => {
    const error = await connect(...(args as [Target])).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(TypeError)
    expect((error as Error).message).toContain(sentence)
  })

  test('is one of expectRefused where that was called', async () => {
    await expect(expectRefused(hello(), 'chat')).rejects.toThrow('expectRefused: path: expected')
    await expect(expectRefused(hello(), '/', { http: true } as never)).rejects.toThrow('expectRefused: unknown option')
    await expect(expectRefused(7 as never)).rejects.toThrow('expectRefused: expected an Express or Koa application')
  })

  test('regression: with a value that cannot be printed is reported like any other', async () => {
    const circular: Record<string, unknown> = {}
    circular.self = circular
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    for (const value of [Object.create(null), 1n, Symbol('x'), circular, proxy]) {
      if (value !== proxy) await expect(connect(value as Target)).rejects.toThrow(/^connect: expected .*; got /)
      await expect(connect(hello(), '/', { origin: value as never })).rejects.toThrow(
        /^connect: origin: expected .*; got /
      )
    }
  })

  test('in a call of the client throws', async () => {
    await using client = await connect(hello())
    expect(() => client.send({ text: 'hello' } as never)).toThrow(
      new TypeError('send: expected a string or bytes; got {"text":"hello"}; did you mean sendJson()?')
    )
    for (const code of [999, 1005, 1006, 2000, 5000, 1.5, '1000']) {
      await expect(client.close(code as number)).rejects.toThrow(/^close: code: expected 1000, .*; got ./)
    }
    await expect(client.close(1000, 'x'.repeat(124))).rejects.toThrow(/^close: reason: expected a string of at most/)
    expect(client.socket.readyState).toBe(client.socket.OPEN)
  })

  test('in a subprotocol is reported, and leaves no port open', async () => {
    const server = hello()
    await expect(connect(server, '/', { subprotocols: ['a b'], port: true })).rejects.toThrow(SyntaxError)
    expect(server.listening).toBe(false)
  })
})
