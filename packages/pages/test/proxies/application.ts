import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { DrainOptions, DrainResult, WebSocket } from '@oneport/core'
import { acceptWebSocket, type WsUpgradeOptions, wsUpgrade } from '@oneport/express'
import { wsPlugin } from '@oneport/fastify'
import express from 'express'
import Fastify from 'fastify'

/** What differs between the applications of the tests. */
export interface Settings {
  /** `trust proxy` of Express, `trustProxy` of Fastify. */
  readonly trust: boolean | string | ((address: string | undefined, hop: number) => boolean)
  /** Path of the Unix socket to listen on. @default a free port */
  readonly path?: string
  readonly options?: Pick<WsUpgradeOptions, 'heartbeat' | 'maxConnectionsPerAddress' | 'onError' | 'onRefused'>
}

/** The endpoints `/chat` and `/silent`, the ordinary route `/`, and `/members`, which always answers 401. */
export interface Application {
  /** Undefined on a Unix socket. */
  readonly port: number
  drain(options?: DrainOptions): Promise<DrainResult>
  close(): Promise<unknown>
}

/** The first message of `/chat`, which echoes after that. */
export interface Welcome {
  /** The client's address, as the application sees it. */
  readonly address?: string
  /** The fields with the client's address, host and scheme, as they arrived. */
  readonly forwarded: readonly (string | undefined)[]
  readonly url: string
  /** The port on which the application listens. */
  readonly port?: number
}

/** The handler of `/chat`. */
function serve(socket: WebSocket, request: IncomingMessage, address: string | undefined): void {
  const forwarded = ['for', 'host', 'proto'].map((what) => request.headers[`x-forwarded-${what}`])
  const welcome = { address, forwarded, url: request.url, port: request.socket.localPort }
  socket.send(JSON.stringify(welcome))
  socket.on('message', (data) => socket.send(String(data)))
}

// The proxy runs as another user, so every user may connect to the Unix socket.
const listenOptions = (path: string | undefined) =>
  path === undefined ? { host: '127.0.0.1', port: 0 } : { path, readableAll: true, writableAll: true }

const portOf = (server: { address(): unknown }): number => (server.address() as AddressInfo).port

async function startExpress({ options, path, trust }: Settings): Promise<Application> {
  const app = express().set('trust proxy', trust)
  const websockets = wsUpgrade(options)
  app.use(websockets)
  app.get('/', (_req, res) => void res.send('A page.'))
  app.get('/members', (_req, res) => void res.status(401).send('Log in first.'))
  app.get('/chat', (req, res) => acceptWebSocket(req, res, (socket) => serve(socket, req, req.ip)))
  app.get('/silent', (req, res) => acceptWebSocket(req, res, () => {}))
  const server = createServer(app)
  await once(server.listen(listenOptions(path)), 'listening')
  return {
    port: portOf(server),
    drain: (how) => websockets.drain(how),
    close: () => {
      const closed = once(server.close(), 'close')
      server.closeAllConnections()
      return closed
    }
  }
}

async function startFastify({ options, path, trust }: Settings): Promise<Application> {
  const app = Fastify({ trustProxy: trust, forceCloseConnections: true })
  await app.register(wsPlugin, options ?? {})
  app.get('/', async () => 'A page.')
  app.get('/members', (_request, reply) => reply.code(401).send('Log in first.'))
  app.get('/chat', { websocket: true }, (socket, request) => serve(socket, request.raw, request.ip))
  app.get('/silent', { websocket: true }, () => {})
  await app.listen(listenOptions(path))
  return {
    port: portOf(app.server),
    drain: (how) => app.websockets.drain(how),
    close: () => app.close()
  }
}

/** The same application with each adapter, for `describe.each`. */
export const applications: [framework: string, start: (settings: Settings) => Promise<Application>][] = [
  ['Express', startExpress],
  ['Fastify', startFastify]
]
