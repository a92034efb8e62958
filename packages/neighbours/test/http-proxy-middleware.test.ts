import { once } from 'node:events'
import http, { type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { handshake, sendRaw, signal } from '@oneport/test-kit'
import express from 'express'
import { createProxyMiddleware } from 'http-proxy-middleware'
import { WebSocketServer } from 'ws'
import { Application, converse } from '../src/application.ts'
import { type Arrangement, alone, shared, table } from './arrangements.ts'
import { connect, endClients, liveThrough } from './conversations.ts'
import { framesBack } from './frames.ts'
import { endServers, type SharedServer, share } from './shared-server.ts'
import { within } from './within.ts'

/**
 * The server that the proxy forwards to: `/api/theirs` is a WebSocket endpoint, other handshakes get a 404, some of
 * them only after `goOn()`.
 */
class Upstream {
  readonly server = http.createServer((_req, res) => res.end('upstream\n'))
  readonly #gate = signal()
  readonly #arrival = signal()
  /** Resolves when the proxy has forwarded a handshake. */
  readonly arrived = this.#arrival.given
  /** Resolves when the proxy has read the refusal. */
  readonly refused = signal()
  isHolding = false

  async start(): Promise<number> {
    const sockets = new WebSocketServer({ noServer: true })
    this.server.on('upgrade', async (req: IncomingMessage, socket: Socket, head: Buffer) => {
      this.#arrival.give()
      socket.on('error', () => {})
      if (this.isHolding) await this.#gate.given
      if (req.url?.endsWith('/theirs')) {
        sockets.handleUpgrade(req, socket, head, (webSocket) => converse(webSocket, 'theirs'))
        return
      }
      socket.once('close', () => this.refused.give())
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 9\r\n\r\nnot here\n')
    })
    await once(this.server.listen(0, '127.0.0.1'), 'listening')
    return (this.server.address() as AddressInfo).port
  }

  goOn(): void {
    this.#gate.give()
  }

  end(): void {
    this.server.closeAllConnections()
    this.server.close()
  }
}

let upstream: Upstream
beforeEach(() => {
  upstream = new Upstream()
})
afterEach(async () => {
  endClients()
  await endServers()
  upstream.end()
})

type Mounting = 'on a path, with ws: true' | 'on a path, with its upgrade()'
const mountings: readonly Mounting[] = ['on a path, with ws: true', 'on a path, with its upgrade()']

/** Express with a proxy at `/api`, which forwards every handshake. */
async function serve(arrangement: Arrangement, mounting: Mounting): Promise<SharedServer> {
  const port = await upstream.start()
  const ws = mounting === 'on a path, with ws: true'
  const proxy = createProxyMiddleware({ target: `http://127.0.0.1:${port}`, ws, logger: undefined as never })
  const application = new Application()
  const app = express()
  app.use('/api', proxy as express.RequestHandler)
  app.use((req, res) => void application.listener(req, res))
  const join = (server: Server): void => {
    if (!ws) server.on('upgrade', proxy.upgrade as never)
  }
  // Through the middleware, a handshake would be proxied a second time, as a request.
  const server = await share(arrangement, join, {}, application, application.listener, http.createServer(app))
  // With `ws: true`, the proxy listens for `upgrade` from its first request on.
  const page = await fetch(`http://127.0.0.1:${server.port}/api/page`)
  expect(await page.text()).toBe('upstream\n')
  return server
}

describe.each(table([alone, ...shared]))('%s, http-proxy-middleware', (_arrangement, arrangement) => {
  test.each(mountings)('mounted %s, gets its connections', async (mounting) => {
    const server = await serve(arrangement, mounting)
    await liveThrough(await connect(server, '/api/theirs'), 'theirs')
    await liveThrough(await connect(server, '/api/theirs'), 'theirs', 'server')
    await server.close()
  })

  test.each(mountings)('mounted %s, forwards the first frames once', async (mounting) => {
    const server = await serve(arrangement, mounting)
    expect(await framesBack(server, '/api/theirs')).toEqual(['first', 'second'])
  })

  test.each(mountings)("mounted %s, passes on the other server's refusal", async (mounting) => {
    const server = await serve(arrangement, mounting)
    const { status, rest } = await within('the answer arrives', sendRaw(server, handshake('/api/nowhere')))
    expect([status, rest]).toEqual([404, 'not here\n'])
  })
})

describe.each(table(shared))('%s, http-proxy-middleware', (_arrangement, arrangement) => {
  test.each(mountings)('mounted %s, leaves our connection alone when the other server refuses it', async (mounting) => {
    upstream.isHolding = true
    const server = await serve(arrangement, mounting)
    const client = await connect(server, '/ours')
    await within('the proxy forwards the handshake', upstream.arrived)
    upstream.goOn()
    await within('the other server has refused', upstream.refused.given)
    await liveThrough(client, 'ours')
    await server.close()
  })

  test.each(mountings)(
    'mounted %s, leaves our connection alone when the other server accepts it too',
    async (mounting) => {
      upstream.isHolding = true
      const server = await serve(arrangement, mounting)
      const client = await connect(server, '/ours/theirs')
      await within('the proxy forwards the handshake', upstream.arrived)
      upstream.goOn()
      await liveThrough(client, 'ours', 'server')
      await server.close()
    }
  )

  test.each(mountings)('mounted %s, leaves a handshake alone that the application is handling', async (mounting) => {
    const server = await serve(arrangement, mounting)
    const connecting = connect(server, '/ours/later')
    await within('the proxy forwards the handshake', upstream.arrived)
    await within('the other server has refused', upstream.refused.given)
    server.application.goOn()
    await liveThrough(await connecting, 'ours')
    await server.close()
  })

  test.each(mountings)('mounted %s, does not give our connection its first frames twice', async (mounting) => {
    const server = await serve(arrangement, mounting)
    expect(await framesBack(server, '/ours')).toEqual(['first', 'second'])
  })

  test.each(mountings)('mounted %s, leaves our connection alone when the other server is down', async (mounting) => {
    const server = await serve(arrangement, mounting)
    upstream.server.closeAllConnections()
    await once(upstream.server.close(), 'close')
    await liveThrough(await connect(server, '/ours'), 'ours')
    await server.close()
  })
})
