import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { type AcceptOptions, attach, serveTopics as serveOnNode } from '@oneport/core'
import { serveTopics as serveOnExpress, wsUpgrade } from '@oneport/express'
import { serveTopics as serveOnFastify, wsPlugin } from '@oneport/fastify'
import { attach as attachHono, serveTopics as serveOnHono } from '@oneport/hono'
import { serveTopics as serveOnKoa, wsUpgrade as wsUpgradeOfKoa } from '@oneport/koa'
import { connectClient, takePrinted } from '@oneport/test-kit'
import express from 'express'
import Fastify from 'fastify'
import { Hono } from 'hono'
import Koa from 'koa'
import { createTopics, type Topics, type TopicsAccess } from '../src/index.ts'
import { atEnd, stopAll } from './pair.ts'

afterEach(stopAll)

const access: TopicsAccess = { mayRead: () => true, mayPublish: () => true }

type Make = (topics: Topics, options: AcceptOptions) => Server | Promise<Server>

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

async function start(make: Make, options: AcceptOptions = {}) {
  const topics = createTopics({ history: {} })
  const server = await make(topics, options)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const left = new AbortController()
  atEnd(async () => {
    left.abort()
    await topics.close()
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  })
  const url = `http://127.0.0.1:${port}/topics`
  const ask = (query: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${url}?${query}`, { signal: left.signal, ...init })
  return { topics, port, ask, origin: `http://127.0.0.1:${port}` }
}

/** Reads a stream until it has a text. */
async function until(response: Response, wanted: string): Promise<string> {
  let text = ''
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += Buffer.from(chunk).toString()
    if (text.includes(wanted)) return text
  }
  throw new Error(`Expected ${wanted}; got ${text}`)
}

describe.each(Object.entries(frameworks))('on %s', (name, make) => {
  test('one URL serves WebSockets, streams, polls and POST', async () => {
    const { topics, port, ask, origin } = await start(make)
    const { socket, next, response } = await connectClient({ port }, '/topics', ['oneport.topics.1'], { origin })
    if (name !== 'node:http') expect(response.headers['x-middleware']).toBe('yes')
    socket.send('subscribe - news')
    const [, epoch] = String(await next()).split(' ')

    const stream = await ask('topic=news', { headers: { Accept: 'text/event-stream' } })
    expect(stream.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    if (name !== 'node:http') expect(stream.headers.get('x-middleware')).toBe('yes')

    const headers = { Origin: origin, 'Content-Type': 'text/plain' }
    const posted = await ask('topic=news&id=1', { method: 'POST', body: 'hello', headers })
    expect([posted.status, await posted.json()]).toEqual([200, { offset: 1 }])
    const type = { Origin: origin, 'Content-Type': 'application/octet-stream' }
    const binary = await ask('topic=news&id=2', { method: 'POST', body: Buffer.from([255]), headers: type })
    expect(await binary.json()).toEqual({ offset: 2 })

    expect(await next()).toBe('message 1 news\nhello')
    expect(await until(stream, 'event: base64')).toContain(`id: ${epoch}:1\ndata: message 1 news\ndata: hello\n\n`)
    const polled = (await (await ask(`topic=news&since=${epoch}:0`)).json()) as { since: string; answers: unknown[] }
    expect(polled.since).toBe(`${epoch}:2`)
    expect(polled.answers.slice(0, 2)).toEqual([`subscribed ${epoch} 0 resumed news`, 'message 1 news\nhello'])
    socket.terminate()
    while (topics.stats().served > 1) await new Promise(setImmediate)
  })

  test('the origin rule holds for all of it', async () => {
    const { port, ask, topics } = await start(make)
    const headers = { Origin: 'https://evil.example' }
    await expect(
      connectClient({ port }, '/topics', ['oneport.topics.1'], { origin: headers.Origin })
    ).rejects.toMatchObject({ statusCode: 403 })
    const answers = [
      await ask('topic=news', { headers }),
      await ask('topic=news', { headers: { ...headers, Accept: 'text/event-stream' } }),
      await ask('topic=news&id=1', {
        method: 'POST',
        body: 'hello',
        headers: { ...headers, 'Content-Type': 'text/plain' }
      }),
      // As for <script src> on another site.
      await ask('topic=news', { headers: { 'Sec-Fetch-Site': 'cross-site' } }),
      await ask('topic=news', { headers: { 'Sec-Fetch-Site': 'same-site' } })
    ]
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403])
    expect(topics.stats()).toMatchObject({ published: 0, served: 0 })
    expect(takePrinted().filter((line) => line.includes('HANDSHAKE_ORIGIN'))).toHaveLength(6)
    const same = await ask('topic=news', { headers: { 'Sec-Fetch-Site': 'same-origin' } })
    expect(same.status).toBe(200)
  })

  test('another origin may connect if the endpoint allows it', async () => {
    const { ask } = await start(make, { allowedOrigins: ['https://app.example'] })
    expect((await ask('topic=news', { headers: { Origin: 'https://app.example' } })).status).toBe(200)
    expect((await ask('topic=news', { headers: { Origin: 'https://evil.example' } })).status).toBe(403)
    takePrinted()
  })

  test('a client without the subprotocol is refused', async () => {
    const { port } = await start(make)
    await expect(connectClient({ port }, '/topics')).rejects.toMatchObject({ statusCode: 400 })
  })

  test('a client that leaves ends its stream', async () => {
    const { topics, ask } = await start(make)
    const left = new AbortController()
    const stream = await ask('topic=news', { headers: { Accept: 'text/event-stream' }, signal: left.signal })
    await until(stream, 'subscribed')
    left.abort()
    while (topics.stats().served > 0) await new Promise(setImmediate)
    expect(topics.stats()).toMatchObject({ subscriptions: 0, httpClients: 0 })
  })
})

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
