import { once } from 'node:events'
import http, { type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { type AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { attach } from '@oneport/core'
import { wsUpgrade } from '@oneport/express'
import { wsPlugin } from '@oneport/fastify'
import type { Target } from '@oneport/test-kit'
import express from 'express'
import Fastify from 'fastify'
import Koa from 'koa'
import koaEasyWs from 'koa-easy-ws'
import { type WebSocket, WebSocketServer } from 'ws'
import { converse } from '../src/application.ts'
import { type Client, connect, endClients, liveThrough, Refusal } from './conversations.ts'
import { within } from './within.ts'

/** A route that upgrades on its own must not be answered by Oneport at this deadline. */
const handshakeTimeoutMs = 50

const servers: { server: http.Server; rawSockets: Socket[] }[] = []
afterEach(() => {
  endClients()
  for (const { server, rawSockets } of servers.splice(0)) {
    server.close()
    for (const socket of rawSockets) Reflect.apply(Socket.prototype.destroy, socket, [])
  }
})

async function listen(server: http.Server): Promise<Target & { server: http.Server }> {
  const rawSockets: Socket[] = []
  server.on('connection', (socket: Socket) => rawSockets.push(socket))
  servers.push({ server, rawSockets })
  if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening')
  return { port: (server.address() as AddressInfo).port, server }
}

const options = { handshakeTimeoutMs, onRefused: () => {} }
const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false })
const upgrade = (req: IncomingMessage): void =>
  sockets.handleUpgrade(req, req.socket, Buffer.alloc(0), (socket) => converse(socket, 'own'))

type Start = (isAttached: boolean) => Promise<Target & { server: http.Server }>

const onCore: Start = async (isAttached) => {
  const listener: RequestListener = (req) => upgrade(req)
  const server = http.createServer(listener)
  if (isAttached) attach(server, listener, options)
  return listen(server)
}

const onCoreLater: Start = async (isAttached) => {
  const listener = async (req: IncomingMessage): Promise<void> => {
    await sleep(5)
    upgrade(req)
  }
  const server = http.createServer((req) => void listener(req))
  if (isAttached) attach(server, listener, options)
  return listen(server)
}

const onExpress: Start = async (isAttached) => {
  const app = express()
  if (isAttached) app.use(wsUpgrade(options))
  app.get('/', (req) => upgrade(req))
  return listen(http.createServer(app))
}

const onFastify: Start = async (isAttached) => {
  const app = Fastify()
  if (isAttached) await app.register(wsPlugin, options)
  app.get('/', (request, reply) => {
    reply.hijack()
    upgrade(request.raw)
  })
  await app.ready()
  return listen(app.server)
}

const onKoa: Start = async (isAttached) => {
  const app = new Koa()
  app.use(koaEasyWs())
  app.use(async (ctx) => {
    converse((await (ctx as unknown as { ws(): Promise<WebSocket> }).ws()) as WebSocket, 'own')
  })
  const listener = app.callback() as (req: IncomingMessage, res: ServerResponse) => Promise<void>
  const server = http.createServer((req, res) => void listener(req, res))
  if (isAttached) attach(server, listener, options)
  return listen(server)
}

const routes: [string, Start][] = [
  ['a listener of node:http', onCore],
  ['a late listener of node:http', onCoreLater],
  ['a route of Express', onExpress],
  ['a route of Fastify that hijacks the reply', onFastify],
  ['a route of koa-easy-ws', onKoa]
]

describe('a handshake that the application accepts without Oneport', () => {
  test.each(routes)('works without Oneport, in %s', async (_name, start) => {
    const target = await start(false)
    await liveThrough(await connect(target, '/'), 'own')
  })

  test.each(routes)('works in %s, or is refused at once with a hint', async (_name, start) => {
    const target = await start(true)
    let client: Client
    try {
      client = await connect(target, '/')
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      expect(error.status).toBeGreaterThanOrEqual(400)
      expect(error.body).toMatch(/acceptWebSocket/)
      return
    }
    // The deadline must have no effect.
    await sleep(2 * handshakeTimeoutMs)
    await liveThrough(client, 'own')
    const closed = once(target.server, 'close')
    target.server.close()
    await within('the server is closed', closed)
  })
})
