import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Application, CasesOptions, Served, Subject } from '@oneport/adapter-testsuite'
import { acceptWebSocket, attach } from '@oneport/core'
import { isPrintable } from '@oneport/core/adapter'
import { acceptWebSocket as acceptInExpress, wsUpgrade } from '@oneport/express'
import { wsPlugin } from '@oneport/fastify'
import { wsUpgrade as wsUpgradeOfKoa } from '@oneport/koa'
import express5, { type Express } from 'express'
// @ts-expect-error Express 4 is installed under another name; its types would be those of Express 5
import express4 from 'express4'
import Fastify, { type FastifyInstance } from 'fastify'
import Koa from 'koa'
import onHeaders from 'on-headers'
import { onFirst, onSecond } from './hono.ts'
import { runtime } from './runtime.ts'

/** An adapter under test. */
export interface Adapter {
  readonly name: string
  readonly subject: Subject
  readonly options: CasesOptions
  /** The ways that the short form of the contract covers. */
  readonly shortForm: readonly string[]
}

export const adapters: readonly Adapter[] = [
  {
    name: 'core',
    subject: serveCore,
    options: { http2: true },
    shortForm: ['HTTP/1.1', 'HTTP/1.1 over TLS beside HTTP/2']
  },
  { name: 'Express 4', subject: serveExpress(express4 as () => Express), options: {}, shortForm: ['HTTP/1.1'] },
  { name: 'Express 5', subject: serveExpress(express5), options: {}, shortForm: ['HTTP/1.1 over TLS'] },
  { name: 'Fastify', subject: serveFastify, options: { http2: true }, shortForm: ['HTTP/1.1', 'HTTP/2 over TLS'] },
  { name: 'Koa', subject: serveKoa, options: { http2: true }, shortForm: ['HTTP/1.1', 'HTTP/2 over TLS'] },
  {
    name: 'Hono on @hono/node-server 1',
    subject: onFirst,
    options: { http2: true },
    shortForm: ['HTTP/1.1 over TLS']
  },
  {
    name: 'Hono on @hono/node-server 2',
    subject: onSecond,
    options: { http2: true },
    shortForm: ['HTTP/1.1', 'HTTP/2 over TLS']
  }
]

async function serveCore(application: Application): Promise<Served> {
  const listener = (req: IncomingMessage, res: ServerResponse) => answer(application, req, res)
  const server = application.createServer((req, res) => void listener(req, res))
  const attachment = attach(server, listener, application.options)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { server, drain: () => attachment.drain() }
}

async function answer(application: Application, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { before, endpoints, fields, lateFields, pages } = application
  const set = (all: Application['fields']) => {
    for (const [name, value] of Object.entries(all)) res.setHeader(name, value)
  }
  set(fields)
  onHeaders(res, () => set(lateFields))
  try {
    await before(req, res)
  } catch (error) {
    const { status = 500, message = 'broken' } = isPrintable(error)
      ? (Object(error) as { status?: number; message?: string })
      : {}
    res.writeHead(status).end(message)
    return
  }
  const endpoint = endpoints.find(({ path }) => path === req.url)
  if (endpoint !== undefined) return acceptWebSocket(req, res, endpoint.options, endpoint.handler)
  const page = pages.find(({ path }) => path === req.url)
  req.resume()
  res.writeHead(page === undefined ? 404 : 200).end(page?.text ?? 'not found')
}

function serveExpress(express: () => Express): Subject {
  return async ({ before, createServer, endpoints, fields, lateFields, options, pages }) => {
    const app = express().set('env', 'test')
    const websockets = wsUpgrade(options)
    app.use((_req, res, next) => {
      res.set(fields)
      onHeaders(res, () => void res.set(lateFields))
      next()
    })
    app.use(websockets)
    app.use((req, res, next) => void before(req, res).then(() => next(), next))
    for (const { path, text } of pages) app.all(path, (_req, res) => void res.send(text))
    for (const { path, options, handler } of endpoints) {
      app.get(path, (req, res) => acceptInExpress(req, res, options, handler))
    }
    const server = createServer(app)
    if (runtime.name === 'Bun') websockets.attach(server)
    await once(server.listen(0, '127.0.0.1'), 'listening')
    return { server, drain: () => websockets.drain() }
  }
}

async function serveFastify(application: Application): Promise<Served> {
  const { before, endpoints, fields, http2, lateFields, options, pages, serverOptions, tls } = application
  const app = Fastify({ http2, [tls ? 'https' : 'http']: serverOptions } as object) as FastifyInstance
  await app.register(wsPlugin, options)
  app.addHook('onRequest', async (_request, reply) => void reply.headers(fields))
  app.addHook('preHandler', (request, reply) => before(request.raw, reply.raw))
  app.addHook('onSend', async (_request, reply) => void reply.headers(lateFields))
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  for (const { path, text } of pages) app.route({ method: ['GET', 'POST'], url: path, handler: async () => text })
  for (const { path, options, handler } of endpoints) app.get(path, { websocket: options }, handler)
  await app.listen({ port: 0, host: '127.0.0.1' })
  return { server: app.server, drain: () => app.websockets.drain(), close: () => app.close() }
}

async function serveKoa(application: Application): Promise<Served> {
  const { before, createServer, endpoints, fields, http2, lateFields, options, pages, tls } = application
  const app = new Koa()
  app.silent = true
  const websockets = wsUpgradeOfKoa(options)
  app.use(websockets)
  app.use(async (ctx, next) => {
    ctx.set(fields)
    try {
      await next()
    } catch (error) {
      const { status = 500, message = '', headers = {} } = Object(isPrintable(error) ? error : {})
      ctx.status = status
      ctx.body = status < 500 ? message : 'broken'
      ctx.set(headers)
    }
    ctx.set(lateFields)
  })
  app.use(async (ctx, next) => {
    await before(ctx.req, ctx.res)
    await next()
  })
  app.use((ctx) => {
    const page = pages.find(({ path }) => path === ctx.path)
    const endpoint = endpoints.find(({ path }) => path === ctx.path)
    if (page !== undefined) ctx.body = page.text
    if (endpoint !== undefined) ctx.acceptWebSocket(endpoint.options, (socket) => endpoint.handler(socket))
  })
  const server = createServer(app.callback())
  if (runtime.name === 'Bun' || (http2 && !tls)) websockets.attach(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { server, drain: () => websockets.drain() }
}
