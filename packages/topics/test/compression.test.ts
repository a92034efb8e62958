import { once } from 'node:events'
import { createServer, get, type IncomingHttpHeaders, type Server } from 'node:http'
import { connect, createServer as createHttp2Server, type Http2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { Readable } from 'node:stream'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import compressForFastify from '@fastify/compress'
import { createAdaptorServer } from '@hono/node-server'
import { serveTopics as serveOnExpress, wsUpgrade } from '@oneport/express'
import { serveTopics as serveOnFastify, wsPlugin } from '@oneport/fastify'
import { attach as attachHono, serveTopics as serveOnHono } from '@oneport/hono'
import { serveTopics as serveOnKoa, wsUpgrade as wsUpgradeOfKoa } from '@oneport/koa'
import { connectClient } from '@oneport/test-kit'
import compression from 'compression'
import express from 'express'
import Fastify, { type FastifyInstance } from 'fastify'
import { Hono } from 'hono'
import { compress as compressForHono } from 'hono/compress'
import Koa from 'koa'
import compressForKoa from 'koa-compress'
import { createTopics, type Topics, type TopicsAccess } from '../src/index.ts'
import { atEnd, stopAll } from './pair.ts'

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: timers.filter((name) => !name.endsWith('Interval')) })
})
afterEach(async () => {
  jest.useRealTimers()
  await stopAll()
})

const timers = [
  'Date',
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'setImmediate',
  'clearImmediate',
  'setInterval',
  'clearInterval',
  'setTimeout',
  'clearTimeout'
] as const

const access: TopicsAccess = { mayRead: () => true, mayPublish: () => true }

type Make = (topics: Topics, isHttp2: boolean) => Server | Http2Server | Promise<Server | Http2Server>

/** With compression of everything that their options can be made to compress. */
const frameworks: Record<string, { make: Make; versions: readonly number[] }> = {
  'Express with compression': {
    versions: [1],
    make: (topics) => {
      const app = express().set('env', 'test')
      app.use(wsUpgrade(), compression({ threshold: 0, filter: () => true }))
      app.all('/topics', (req, res) => serveOnExpress(req, res, topics, access))
      return createServer(app)
    }
  },
  'Fastify with @fastify/compress': {
    versions: [1, 2],
    make: async (topics, isHttp2) => {
      const app = Fastify({ http2: isHttp2 } as object) as FastifyInstance
      await app.register(wsPlugin)
      await app.register(compressForFastify, { threshold: 0, customTypes: /./ })
      app.route({
        method: ['GET', 'POST'],
        url: '/topics',
        handler: (_request, reply) => serveOnFastify(reply, topics, access)
      })
      await app.ready()
      return app.server
    }
  },
  'Koa with koa-compress': {
    versions: [1, 2],
    make: (topics, isHttp2) => {
      const app = new Koa()
      app.use(wsUpgradeOfKoa())
      app.use(compressForKoa({ threshold: 0, filter: () => true }))
      app.use((ctx) => serveOnKoa(ctx, topics, access))
      return isHttp2 ? createHttp2Server(app.callback()) : createServer(app.callback())
    }
  },
  'Hono with its compress()': {
    versions: [1, 2],
    make: (topics, isHttp2) => {
      const app = new Hono()
      app.use(compressForHono({ threshold: 0, contentTypeFilter: /./ }))
      app.on(['GET', 'POST'], '/topics', (c) => serveOnHono(c, topics, access))
      const create = isHttp2 ? { createServer: createHttp2Server } : {}
      const server = createAdaptorServer({ fetch: app.fetch, ...create } as never) as Server
      attachHono(server)
      return server
    }
  }
}

interface Answer {
  readonly headers: IncomingHttpHeaders
  readonly body: Readable
}

type Ask = (path: string, fields?: Record<string, string>) => Promise<Answer>

const encodings = { 'accept-encoding': 'gzip, deflate, br' }

const overHttp1 =
  (port: number): Ask =>
  async (path, fields) => {
    const asked = get({ port, path, headers: { ...encodings, ...fields }, agent: false })
    asked.on('error', () => {})
    atEnd(() => asked.destroy())
    const [body] = (await once(asked, 'response')) as [import('node:http').IncomingMessage]
    return { headers: body.headers, body }
  }

function overHttp2(port: number): Ask {
  const session = connect(`http://127.0.0.1:${port}`)
  atEnd(() => session.destroy())
  return async (path, fields) => {
    const body = session.request({ ':path': path, ...encodings, ...fields })
    const [headers] = (await once(body, 'response')) as [IncomingHttpHeaders]
    return { headers, body }
  }
}

async function start(make: Make, version: number) {
  const topics = createTopics({ history: {} })
  const server = await make(topics, version === 2)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  atEnd(async () => {
    await topics.close()
    const closed = once(server, 'close')
    server.close()
    if ('closeAllConnections' in server) server.closeAllConnections()
    await closed
  })
  return { topics, port, ask: version === 2 ? overHttp2(port) : overHttp1(port) }
}

/** Reads a body until it has a text, without waiting for more. */
async function until(body: Readable, wanted: string): Promise<string> {
  let text = ''
  for (;;) {
    for (let chunk = body.read(); chunk !== null; chunk = body.read()) text += String(chunk)
    if (text.includes(wanted)) return text
    await once(body, 'readable')
  }
}

async function textOf({ headers, body }: Answer): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of body) chunks.push(chunk as Buffer)
  const decode = headers['content-encoding'] === 'br' ? brotliDecompressSync : gunzipSync
  return decode(Buffer.concat(chunks)).toString()
}

const all = Object.entries(frameworks).flatMap(([name, { make, versions }]) =>
  versions.map((version) => [`${name}, over HTTP/${version}`, make, version] as const)
)

describe.each(all)('on %s', (_name, make, version) => {
  test('the events and the comments of a stream arrive at once', async () => {
    const { topics, ask } = await start(make, version)
    const { headers, body } = await ask('/topics?topic=news', { accept: 'text/event-stream' })
    expect(headers['content-encoding']).toBeUndefined()
    await until(body, 'subscribed')
    for (const payload of ['hello', 'x'.repeat(100_000), 'bye']) {
      topics.publish('news', payload)
      await until(body, payload)
    }
    jest.advanceTimersByTime(25_000)
    expect(await until(body, ':')).toBe(':\n\n')
  })

  test('polls are compressed, and complete', async () => {
    const { topics, ask } = await start(make, version)
    topics.publish('news', 'x'.repeat(100_000))
    const answer = await ask('/topics?topic=news&since=all')
    expect(answer.headers['content-encoding']).toMatch(/^(?:br|gzip)$/)
    expect(JSON.parse(await textOf(answer)).answers[1]).toBe(`message 1 news\n${'x'.repeat(100_000)}`)
  })

  if (version === 1) {
    test('WebSockets open', async () => {
      const { topics, port } = await start(make, version)
      const { socket, next } = await connectClient({ port }, '/topics', ['oneport.topics.1'], { headers: encodings })
      socket.send('subscribe - news')
      await next()
      topics.publish('news', 'hello')
      expect(await next()).toBe('message 1 news\nhello')
      socket.terminate()
    })
  }
})
