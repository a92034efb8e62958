import { once } from 'node:events'
import http, { type RequestListener } from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { acceptWebSocket, attach, type EndpointOptions } from '@oneport/core'
import * as forExpress from '@oneport/express'
import { wsPlugin } from '@oneport/fastify'
import {
  certificate,
  closed,
  connectClient,
  openSession,
  sendConnect,
  type Target,
  webSocketOn
} from '@oneport/test-kit'
import express from 'express'
import Fastify, { type FastifyInstance } from 'fastify'
import type { WebSocket } from 'ws'
import { createTopics } from '../src/index.ts'
import { atEnd, fill, stopAll } from './pair.ts'

afterEach(stopAll)

type Handler = (socket: WebSocket) => void
type Serve = (handler: Handler, endpoint: EndpointOptions) => Promise<Target>

async function listen(server: http.Server | http2.Http2Server, tls: boolean): Promise<Target> {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  atEnd(async () => {
    const ended = once(server, 'close')
    server.close()
    await ended
  })
  return { port: (server.address() as AddressInfo).port, tls }
}

const coreOn = (make: (listener: never) => http.Server | http2.Http2Server, tls: boolean): Serve => {
  return async (handler, endpoint) => {
    const listener: RequestListener = (req, res) => acceptWebSocket(req, res, endpoint, handler)
    const server = make(listener as never)
    attach(server as http.Server, listener)
    return listen(server, tls)
  }
}

const expressOn = (make: (app: RequestListener) => http.Server, tls: boolean): Serve => {
  return async (handler, endpoint) => {
    const app = express()
    const websockets = forExpress.wsUpgrade()
    app.use(websockets)
    app.get('/', (req, res) => forExpress.acceptWebSocket(req, res, endpoint, handler))
    const server = make(app)
    websockets.attach(server)
    return listen(server, tls)
  }
}

const fastifyWith = (options: object, tls: boolean): Serve => {
  return async (handler, endpoint) => {
    const app = Fastify(options) as unknown as FastifyInstance
    await app.register(wsPlugin)
    app.get('/', { websocket: endpoint }, handler)
    await app.listen({ port: 0, host: '127.0.0.1' })
    atEnd(() => app.close())
    return { port: (app.server.address() as AddressInfo).port, tls }
  }
}

interface Pair {
  readonly client: WebSocket
  readonly socket: WebSocket
  /** The client's next message. */
  next(): Promise<string>
}

type Connect = (target: Target) => Promise<WebSocket>

/** Keeps a client's messages in order, including early ones. */
function inbox(client: WebSocket): Pair['next'] {
  const arrived: string[] = []
  client.on('message', (data) => arrived.push(String(data)))
  return async () => {
    while (arrived.length === 0) await once(client, 'message')
    return arrived.shift() as string
  }
}

const overHttp1: Connect = async (target) => (await connectClient(target, '/')).socket
const overHttp2: Connect = async (target) => {
  const session = await openSession({ ...target, host: 'localhost' })
  atEnd(() => session.destroy())
  return webSocketOn((await sendConnect(session, '/')).stream)
}

const ways: [name: string, serve: () => Promise<Serve>, connect: Connect][] = [
  ['core over HTTP/1.1', async () => coreOn((listener) => http.createServer(listener), false), overHttp1],
  [
    'core over TLS',
    async () => {
      const tls = await certificate()
      return coreOn((listener) => https.createServer(tls, listener), true)
    },
    overHttp1
  ],
  ['core over HTTP/2', async () => coreOn((listener) => http2.createServer(listener), false), overHttp2],
  [
    'core over HTTP/2 and TLS',
    async () => {
      const tls = await certificate()
      return coreOn((listener) => http2.createSecureServer(tls, listener), true)
    },
    overHttp2
  ],
  ['Express over HTTP/1.1', async () => expressOn((app) => http.createServer(app), false), overHttp1],
  [
    'Express over TLS',
    async () => {
      const tls = await certificate()
      return expressOn((app) => https.createServer(tls, app), true)
    },
    overHttp1
  ],
  ['Fastify over HTTP/1.1', async () => fastifyWith({}, false), overHttp1],
  ['Fastify over TLS', async () => fastifyWith({ https: await certificate() }, true), overHttp1],
  ['Fastify over HTTP/2', async () => fastifyWith({ http2: true, https: await certificate() }, true), overHttp2]
]

describe.each(ways)('sockets of %s', (_name, serve, connect) => {
  /** Connects two clients, and finds the server's sockets for them. */
  async function openTwo(): Promise<{ ada: Pair; bob: Pair }> {
    const accepted: WebSocket[] = []
    const target = await (await serve())((socket) => void accepted.push(socket), {})
    const open = async (): Promise<Pair> => {
      const client = await connect(target)
      atEnd(() => client.terminate())
      return { client, socket: accepted.at(-1) as WebSocket, next: inbox(client) }
    }
    return { ada: await open(), bob: await open() }
  }

  test('get published messages, in order with those sent to them directly', async () => {
    const topics = createTopics()
    const { ada, bob } = await openTwo()
    for (const { socket } of [ada, bob]) topics.subscribe(socket, 'a')
    ada.socket.send('1')
    expect(topics.publish('a', '2')).toBe(2)
    ada.socket.send('3')
    expect(topics.publish('a', 'x'.repeat(70_000), { except: bob.socket })).toBe(1)
    for (const expected of ['1', '2', '3', 'x'.repeat(70_000)]) expect(await ada.next()).toBe(expected)
    expect(await bob.next()).toBe('2')
    expect(topics.stats()).toMatchObject({ delivered: 3, sent: 0 })
  })

  test('get nothing after the close frame, and leave their topics', async () => {
    const topics = createTopics()
    const { client, socket, next } = (await openTwo()).ada
    topics.subscribe(socket, 'a')
    topics.publish('a', 'last')
    const [ended, left] = [closed(client), once(socket, 'close')]
    socket.close(4000, 'done')
    expect(topics.publish('a', 'never')).toBe(0)
    expect(await next()).toBe('last')
    expect(await ended).toEqual({ code: 4000, reason: 'done' })
    await left
    expect(topics.stats()).toMatchObject({ sockets: 0, topics: 0, subscriptions: 0, failed: 0 })
  })

  test('that stall get the newest message once they read', async () => {
    const topics = createTopics({ maxBufferedBytes: 200_000, whenSlow: 'latest' })
    const { client, socket, next } = (await openTwo()).ada
    client.pause()
    fill(socket, 200_000)
    topics.subscribe(socket, 'a')
    for (let count = 0; count < 100; count++) topics.publish('a', `${count}`)
    expect(topics.stats()).toMatchObject({ delivered: 0, dropped: 99 })
    client.resume()
    for (;;) {
      const message = await next()
      if (message.length > 10) continue
      expect(message).toBe('99')
      break
    }
  })

  test('can publish from a listener', async () => {
    const topics = createTopics()
    const { ada, bob } = await openTwo()
    for (const { socket } of [ada, bob]) {
      topics.subscribe(socket, 'chat')
      socket.on('message', (data) => {
        topics.publish('chat', String(data), { except: socket })
      })
    }
    for (let count = 0; count < 20; count++) ada.client.send(`${count}`)
    for (let count = 0; count < 20; count++) expect(await bob.next()).toBe(`${count}`)
    expect(ada.socket.bufferedAmount).toBe(0)
  })
})
