import dns from 'node:dns'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect as connectSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { certificate, handshake, headArrived, read, sendRaw, testOnBoth } from '@oneport/test-kit'
import Fastify, { type FastifyInstance } from 'fastify'
import { wsPlugin } from '../src/index.ts'
import { connect, echo, isOpen, makeApp, open, owned, start } from './harness.ts'

describe('listening on localhost, where Fastify starts a second server', () => {
  beforeEach(() => {
    const lookup = dns.lookup as (...args: unknown[]) => unknown
    const addresses = [
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 }
    ]
    // On some machines, localhost does not resolve to both addresses.
    jest.spyOn(dns, 'lookup').mockImplementation(((...args: unknown[]) => {
      const [, options, callback] = args as [string, { all?: boolean }, (...result: unknown[]) => void]
      return options.all === true ? callback(null, addresses) : lookup(...args)
    }) as typeof dns.lookup)
  })

  async function listen(options: { https?: object | null } = {}) {
    const app = owned(Fastify(options as object) as FastifyInstance)
    await app.register(wsPlugin, { onRefused: () => {} })
    app.get('/echo', { websocket: true }, echo)
    app.get('/plain', async () => 'plain')
    await app.listen({ port: 0, host: 'localhost' })
    const { port } = app.server.address() as AddressInfo
    return { app, targets: ['127.0.0.1', '::1'].map((host) => ({ port, host, tls: Boolean(options.https) })) }
  }

  testOnBoth('accepts on both, and close() ends both with 1001', async () => {
    const { app, targets } = await listen()
    const ends: Promise<string>[] = []
    for (const target of targets) {
      const raw = await open(target)
      raw.write(handshake('/echo'))
      expect(await read(raw, headArrived)).toMatch(/^HTTP\/1\.1 101 /)
      ends.push(read(raw))
      // The client's close frame with 1001, in answer to the server's.
      raw.once('data', () => raw.write(Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9])))
    }
    expect(app.websockets.connections.size).toBe(2)
    await app.close()
    expect(await Promise.all(ends)).toEqual(['\x88\x02\x03\xe9', '\x88\x02\x03\xe9'])
    for (const target of targets) await expect(open(target)).rejects.toThrow('ECONNREFUSED')
  })

  testOnBoth('refuses and serves HTTP on both', async () => {
    const { targets } = await listen()
    for (const target of targets) {
      expect((await sendRaw(target, handshake('/echo', { Origin: 'https://evil.example' }))).status).toBe(403)
      expect((await sendRaw(target, handshake('/plain'))).rest).toBe('plain')
      const h2c = handshake('/plain', { Upgrade: 'h2c', Connection: 'Upgrade, close' })
      expect((await sendRaw(target, h2c)).rest).toBe('plain')
    }
  })

  testOnBoth('accepts on both over TLS', async () => {
    const { targets } = await listen({ https: await certificate() })
    for (const target of targets) {
      const own = { Origin: 'https://app.example' }
      expect((await sendRaw(target, handshake('/echo', own), headArrived)).status).toBe(101)
    }
  })
})

test('listens on a Unix socket too', async () => {
  const app = await makeApp()
  app.get('/echo', { websocket: true }, echo)
  const folder = mkdtempSync(join(tmpdir(), 'oneport-'))
  const path = join(folder, 'socket')
  await app.listen({ path })
  const raw = connectSocket({ path })
  raw.write(handshake('/echo'))
  expect(await read(raw, headArrived)).toMatch(/^HTTP\/1\.1 101 /)
  raw.destroy()
  await app.close()
  rmSync(folder, { recursive: true })
})

test('works with { http2: false } and TLS', async () => {
  const app = owned(Fastify({ http2: false, https: await certificate() } as object) as FastifyInstance)
  await app.register(wsPlugin)
  app.get('/echo', { websocket: true }, echo)
  const { port } = await start(app)
  expect(await isOpen(await connect({ port, tls: true }, '/echo'))).toBe(true)
})

test('works with rewriteUrl', async () => {
  const app = await makeApp({ rewriteUrl: ({ url = '/' }) => url.replace(/^\/v1/, '') })
  app.get('/echo', { websocket: true }, (socket, request) => socket.send(`${request.url} ${request.originalUrl}`))
  expect(await (await connect(await start(app), '/v1/echo')).next()).toBe('/echo /v1/echo')
})

test('works with ignoreTrailingSlash and caseSensitive', async () => {
  const app = await makeApp({ routerOptions: { ignoreTrailingSlash: true, caseSensitive: false } })
  app.get('/echo', { websocket: true }, echo)
  const target = await start(app)
  for (const path of ['/echo', '/echo/', '/ECHO/']) expect(await isOpen(await connect(target, path))).toBe(true)
})

test('works with exposeHeadRoutes: false', async () => {
  const app = await makeApp({ exposeHeadRoutes: false })
  app.get('/echo', { websocket: true }, echo)
  app.get('/reply', (_request, reply) => reply.acceptWebSocket(echo))
  const target = await start(app)
  for (const path of ['/echo', '/reply']) expect(await isOpen(await connect(target, path))).toBe(true)
  expect((await app.inject({ method: 'HEAD', url: '/echo' })).statusCode).toBe(404)
})

test('works with routes that expose no HEAD', async () => {
  const app = await makeApp()
  app.get('/echo', { websocket: true, exposeHeadRoute: false }, echo)
  expect(await isOpen(await connect(await start(app), '/echo'))).toBe(true)
})

describe('with serverFactory', () => {
  const made = async (serverFactory: (listener: RequestListener) => Server) => {
    const app = owned(Fastify({ serverFactory } as object) as FastifyInstance)
    await app.register(wsPlugin)
    app.get('/echo', { websocket: true }, echo)
    app.get('/plain', async () => 'plain')
    return app
  }

  test('works on the server that it creates, and close() closes that one', async () => {
    let server: Server | undefined
    const app = await made((listener) => {
      server = createServer(listener)
      return server
    })
    const client = await connect(await start(app), '/echo')
    expect(await isOpen(client)).toBe(true)
    expect(server).toBe(app.server)
    await app.close()
    expect(server?.listening).toBe(false)
  })

  test('accepts handshakes through a listener in front of Fastify', async () => {
    const seen: (string | undefined)[] = []
    const app = await made((listener) =>
      createServer((req, res) => {
        seen.push(req.url)
        if (req.url === '/other') res.end('not Fastify')
        else listener(req, res)
      })
    )
    const target = await start(app)
    expect(await isOpen(await connect(target, '/echo'))).toBe(true)
    expect((await sendRaw(target, handshake('/other'))).rest).toBe('not Fastify')
    expect(seen).toEqual(['/echo', '/other'])
  })

  test('works on a TLS server', async () => {
    const tls = await certificate()
    const app = await made((listener) => createTlsServer(tls, listener))
    const { port } = await start(app)
    expect(await isOpen(await connect({ port, tls: true }, '/echo'))).toBe(true)
  })
})
