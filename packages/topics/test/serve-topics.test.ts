import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { attach, serveTopics as serveOnNode } from '@oneport/core'
import { serveTopics as serveOnExpress, wsUpgrade } from '@oneport/express'
import { serveTopics as serveOnFastify, wsPlugin } from '@oneport/fastify'
import { attach as attachHono, serveTopics as serveOnHono } from '@oneport/hono'
import { serveTopics as serveOnKoa, wsUpgrade as wsUpgradeOfKoa } from '@oneport/koa'
import express from 'express'
import Fastify from 'fastify'
import { Hono } from 'hono'
import Koa from 'koa'
import { createTopics, type TopicsAccess } from '../src/index.ts'
import { access, describeServeTopics, type Make } from './serve-topics.ts'

const frameworks: Record<string, Make> = {
  'node:http': (topics, options) => {
    const server = createServer((req, res) => serveOnNode(req, res, topics, access, options))
    attach(server)
    return server
  },
  Express: (topics, options) => {
    const app = express().set('env', 'test')
    app.use(wsUpgrade())
    app.use((_req, res, next) => {
      res.set('X-Middleware', 'yes')
      next()
    })
    app.all('/topics', (req, res) => serveOnExpress(req, res, topics, access, options))
    return createServer(app)
  },
  Fastify: async (topics, options) => {
    const app = Fastify()
    await app.register(wsPlugin)
    app.addHook('onRequest', async (_request, reply) => void reply.header('X-Middleware', 'yes'))
    app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) =>
      done(null, body)
    )
    app.route({
      method: ['GET', 'POST'],
      url: '/topics',
      handler: (_request, reply) => serveOnFastify(reply, topics, access, options)
    })
    await app.ready()
    return app.server
  },
  Koa: (topics, options) => {
    const app = new Koa()
    app.use(wsUpgradeOfKoa())
    app.use(async (ctx, next) => {
      await next()
      ctx.set('X-Middleware', 'yes')
    })
    app.use((ctx) => serveOnKoa(ctx, topics, access, options))
    return createServer(app.callback())
  },
  Hono: (topics, options) => {
    const app = new Hono()
    app.use(async (c, next) => {
      await next()
      c.header('X-Middleware', 'yes')
    })
    app.on(['GET', 'POST'], '/topics', (c) => serveOnHono(c, topics, access, options))
    const server = createAdaptorServer({ fetch: app.fetch }) as Server
    attachHono(server)
    return server
  }
}

for (const [name, make] of Object.entries(frameworks)) {
  describeServeTopics(name, make, { isPlain: name === 'node:http' })
}

test('security: a fault is answered with 500 and goes to onError of the server, on node:http', async () => {
  const faults: unknown[] = []
  const server = createServer((req, res) => serveOnNode(req, res, createTopics(), {} as TopicsAccess))
  attach(server, undefined, { onError: (error) => void faults.push(error) })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const response = await fetch(`http://127.0.0.1:${port}/topics?topic=news`)
  expect([response.status, await response.text()]).toEqual([500, 'Internal Server Error\n'])
  expect(faults.map(String)).toEqual([expect.stringContaining('respond: access.mayRead: expected a function')])
  server.closeAllConnections()
  await once(server.close(), 'close')
})
