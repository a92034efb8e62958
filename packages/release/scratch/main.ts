import { once } from 'node:events'
import type { Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { cases } from '@oneport/adapter-testsuite'
import { hostileValues } from '@oneport/adapter-testsuite/parts'
import { ReconnectingWebSocket } from '@oneport/client'
import * as core from '@oneport/core'
import { acceptWebSocket, HandshakeError, wsUpgrade } from '@oneport/express'
import expressWs, { type Instance } from '@oneport/express/express-ws'
import { wsPlugin } from '@oneport/fastify'
import fastifyWebsocket, { type WebsocketPluginOptions } from '@oneport/fastify/fastify-websocket'
import { attach, webSocket } from '@oneport/hono'
import { createNodeWebSocket } from '@oneport/hono/node-ws'
import { postgresBackplane } from '@oneport/postgres'
import { redisBackplane } from '@oneport/redis'
import { connect, RefusedError } from '@oneport/testing'
import { createTopics, TopicsError } from '@oneport/topics'
import express from 'express'
import Fastify from 'fastify'
import { Hono } from 'hono'
import { Cluster, Redis } from 'ioredis'
import { createClient, createCluster } from 'redis'
import { WebSocket } from 'ws'

/**
 * The part of Koa that is used. Its own types (3.0.3) do not compile beside the version of content-disposition that has
 * types; `packages/typed-apps` compiles with them.
 */
interface KoaApplication {
  use(middleware: KoaMiddleware): void
  listen(port: number, host: string): Server
}
type KoaMiddleware = (ctx: {
  acceptWebSocket(options: object, handler: (socket: core.WebSocket) => void): void
}) => void

async function echo(port: number, path: string): Promise<void> {
  const client = new WebSocket(`ws://127.0.0.1:${port}${path}`, 'v1')
  await once(client, 'open')
  client.send('hello')
  const [message] = await once(client, 'message')
  if (String(message) !== 'hello' || client.protocol !== 'v1') throw new Error(`No echo on ${path}`)
  const ended = once(client, 'close')
  client.close()
  await ended
}

async function main(): Promise<void> {
  const app = express()
  app.use(wsUpgrade())
  app.get('/echo/:room', (req, res) =>
    acceptWebSocket(req, res, { subprotocols: ['v1'] }, (socket) => {
      const room: string = req.params.room
      socket.on('message', (data) => socket.send(room === 'a' ? String(data) : 'wrong room'))
    })
  )
  {
    await using client = await connect(app, '/echo/a', { subprotocols: ['v1'] })
    client.send('hello')
    if ((await client.next()) !== 'hello') throw new Error('No echo in memory')
  }
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  await echo((server.address() as AddressInfo).port, '/echo/a')
  server.close()

  const patched: Instance = expressWs(express(), null, { leaveRouterUntouched: true })
  patched.app.ws('/echo', (ws) => ws.on('message', (data) => ws.send(data)))
  const patchedServer = patched.app.listen(0, '127.0.0.1')
  await once(patchedServer, 'listening')
  await echo((patchedServer.address() as AddressInfo).port, '/echo')
  patchedServer.close()

  const hono = new Hono()
  const { injectWebSocket, upgradeWebSocket } = createNodeWebSocket({ app: hono })
  const answer = webSocket({ subprotocols: ['v1'] }, (socket, c) => {
    const room: string = c.req.param('room')
    socket.on('message', (data) => socket.send(room === 'a' ? String(data) : 'wrong room'))
  })
  hono.get('/echo/:room', answer)
  hono.get(
    '/events',
    upgradeWebSocket(() => ({ onMessage: ({ data }, ws) => ws.send(String(data)) }))
  )
  for (const [path, start] of [
    ['/echo/a', attach],
    ['/events', injectWebSocket]
  ] as const) {
    const server = serve({ fetch: hono.fetch, port: 0, hostname: '127.0.0.1' })
    start(server)
    await once(server, 'listening')
    await echo((server.address() as AddressInfo).port, path)
    server.close()
  }

  // Nothing listens there: this tests the types, and that topics work without Redis.
  const url = 'redis://127.0.0.1:1'
  const clients = [
    createClient({ url }),
    createCluster({ rootNodes: [{ url }] }),
    new Redis(url, { lazyConnect: true }),
    new Cluster([url], { lazyConnect: true })
  ]
  for (const client of clients) await createTopics({ backplane: redisBackplane({ client }) }).close()
  const backplane = postgresBackplane({ connection: 'postgresql://127.0.0.1:1/none' })
  await createTopics({ backplane, history: {} }).close()

  const [first] = cases(async ({ createServer, endpoints, options }) => {
    const app = express()
    const websockets = wsUpgrade(options)
    app.use(websockets)
    for (const { path, options, handler } of endpoints) {
      app.get(path, (req, res) => acceptWebSocket(req, res, options, handler))
    }
    const server = createServer(app).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return { server, drain: () => websockets.drain() }
  })
  await first?.run()

  const topics = createTopics()
  const fastify = Fastify()
  await fastify.register(wsPlugin)
  fastify.get('/echo', { websocket: { subprotocols: ['v1'] } }, (socket) => {
    topics.subscribe(socket, 'echo')
    socket.on('message', (data) => topics.publish('echo', String(data)))
  })
  await fastify.listen({ port: 0, host: '127.0.0.1' })
  await echo((fastify.server.address() as AddressInfo).port, '/echo')
  await fastify.close()

  const moved = Fastify({ logger: { level: 'silent' } })
  const options: WebsocketPluginOptions = { options: { maxPayload: 10, handleProtocols: ([first = '']) => first } }
  await moved.register(fastifyWebsocket, options)
  moved.get('/echo', { websocket: true }, (socket, request) => {
    if (!request.ws) throw new Error('request.ws is not there')
    socket.on('message', (data) => socket.send(`${data}`))
  })
  await moved.listen({ port: 0, host: '127.0.0.1' })
  await echo((moved.server.address() as AddressInfo).port, '/echo')
  await moved.close()

  // However a class is loaded, there must be one copy of it.
  const require = createRequire(`${process.cwd()}/main.js`)
  const required = require('@oneport/core') as typeof core
  if (required.HandshakeError !== HandshakeError || core.HandshakeError !== HandshakeError) {
    throw new Error('CommonJS and ESM have two copies of @oneport/core')
  }
  const forKoa = require('@oneport/koa') as { wsUpgrade(): KoaMiddleware; HandshakeError: typeof HandshakeError }
  if (forKoa.HandshakeError !== HandshakeError) throw new Error('@oneport/koa has another copy of @oneport/core')
  const koa = new (require('koa') as new () => KoaApplication)()
  koa.use(forKoa.wsUpgrade())
  koa.use((ctx) => {
    ctx.acceptWebSocket({ subprotocols: ['v1'] }, (socket) => {
      socket.on('message', (data) => socket.send(String(data)))
    })
  })
  const koaServer = koa.listen(0, '127.0.0.1')
  await once(koaServer, 'listening')
  await echo((koaServer.address() as AddressInfo).port, '/echo')
  koaServer.close()

  const requiredExpressWs = require('@oneport/express/express-ws') as typeof expressWs
  if (requiredExpressWs !== expressWs)
    throw new Error('CommonJS and ESM have two copies of @oneport/express/express-ws')
  const requiredPlugin = require('@oneport/fastify/fastify-websocket') as typeof fastifyWebsocket
  if (requiredPlugin !== fastifyWebsocket || requiredPlugin.fastifyWebsocket !== fastifyWebsocket)
    throw new Error('CommonJS and ESM have two copies of @oneport/fastify/fastify-websocket')
  const { TopicsError: requiredError } = require('@oneport/topics') as { TopicsError: typeof TopicsError }
  if (requiredError !== TopicsError) throw new Error('CommonJS and ESM have two copies of @oneport/topics')
  const parts = require('@oneport/adapter-testsuite/parts') as { hostileValues: typeof hostileValues }
  if (parts.hostileValues !== hostileValues) throw new Error('CommonJS and ESM have two copies of the contract')
  const client = require('@oneport/client') as { ReconnectingWebSocket: { readonly OPEN: number } }
  if (client.ReconnectingWebSocket.OPEN !== ReconnectingWebSocket.OPEN) throw new Error('@oneport/client differs')
  const testing = require('@oneport/testing') as { RefusedError: typeof RefusedError }
  if (testing.RefusedError !== RefusedError) throw new Error('CommonJS and ESM have two copies of @oneport/testing')
}

main().catch((error) => {
  console.error(error)
  process.exitCode = 1
})
