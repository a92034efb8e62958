import http, { type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import type { TLSSocket } from 'node:tls'
import { acceptWebSocket, attach, type EndpointOptions } from '@oneport/core'
import * as forExpress from '@oneport/express'
import { wsPlugin } from '@oneport/fastify'
import * as forKoa from '@oneport/koa'
import { type Certificate, certificate } from '@oneport/test-kit'
import express5 from 'express'
// @ts-expect-error Express 4 is installed under another name; its types would be those of Express 5
import express4 from 'express4'
import Fastify, { type FastifyInstance } from 'fastify'
import Koa from 'koa'
import type { WebSocket } from 'ws'
import type { Target } from '../src/index.ts'

/** What an endpoint sees of its request. */
export interface Asked {
  readonly ip: string | undefined
  readonly peer: string | undefined
  readonly raw: IncomingMessage
}

/** An endpoint of the application that the tests connect to. */
interface Route {
  readonly path: string
  readonly endpoint: EndpointOptions
  handler(socket: WebSocket, asked: Asked, heard: Heard): void | Promise<void>
}

/** The last connection's end, as seen by the server. */
export interface Heard {
  readonly end: Promise<number>
  setEnd(code: number): void
}

function listenForEnd(): Heard {
  let setEnd = (_code: number): void => {}
  const end = new Promise<number>((resolve) => {
    setEnd = resolve
  })
  return { end, setEnd }
}

const routes: Route[] = [
  {
    path: '/echo',
    endpoint: { subprotocols: ['chat.v2', 'chat.v1'], perMessageDeflate: true },
    handler: (socket) => {
      socket.send('one')
      socket.send('two')
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
    }
  },
  {
    path: '/asked',
    endpoint: {},
    handler: (socket, { ip, peer, raw }) => {
      const { origin, cookie, host = raw.headers[':authority'], 'x-many': many } = raw.headers
      socket.send(JSON.stringify({ ip, peer, origin, cookie, host, many, isSecure: isTls(raw) }))
    }
  },
  {
    path: '/late',
    endpoint: {},
    handler: async (socket) => {
      await new Promise((resolve) => setImmediate(resolve))
      socket.on('message', (data) => socket.send(`heard ${data}`))
    }
  },
  {
    path: '/end',
    endpoint: {},
    handler: (socket, _asked, { setEnd }) => {
      socket.on('close', setEnd)
      socket.on('message', (data) => {
        if (String(data) === 'terminate') socket.terminate()
        else socket.close(4001, 'over')
      })
    }
  },
  {
    path: '/flood',
    endpoint: { maxBufferedBytes: 4_194_304 },
    handler: (socket, _asked, { setEnd }) => {
      const fill = (): void => {
        if (socket.readyState === socket.OPEN) {
          socket.send(Buffer.alloc(1_048_576))
          setImmediate(fill)
        } else {
          setEnd(socket.readyState)
        }
      }
      fill()
    }
  }
]

const isTls = ({ socket }: IncomingMessage): boolean => (socket as Partial<TLSSocket>).encrypted === true

/** What each application's middleware answers to `/refused`. */
const refusal = {
  status: 401,
  fields: { 'X-Why': 'no login', 'Set-Cookie': ['a=1; Path=/', 'b=2; Path=/'] },
  body: { message: 'Log in first.' }
}

/** The fields that it sets on each answer. */
const fields = { 'X-Powered-By': 'tests', 'Set-Cookie': ['seen=yes; Path=/'] }

export interface Application {
  readonly target: Target
  readonly heard: Heard
  close(): Promise<void>
}

export type Start = (tls: Certificate) => Promise<Application>

const quiet = { onRefused: () => {} }

const onCore =
  (makeServer: (tls: Certificate, listener: RequestListener) => object): Start =>
  async (tls) => {
    const heard = listenForEnd()
    const listener = (req: IncomingMessage, res: ServerResponse): void => {
      for (const [name, value] of Object.entries(fields)) res.setHeader(name, value)
      const route = routes.find(({ path }) => path === req.url?.split('?')[0])
      if (req.url === '/refused') {
        const { status, fields, body } = refusal
        res.writeHead(status, { ...fields, 'Content-Type': 'application/json' }).end(JSON.stringify(body))
      } else if (route === undefined) {
        res.writeHead(404).end('not found')
      } else {
        const ip = String(req.headers['x-forwarded-for'] ?? req.socket.remoteAddress)
        const asked = { ip, peer: req.socket.remoteAddress, raw: req }
        void acceptWebSocket(req, res, route.endpoint, (socket) => route.handler(socket, asked, heard))
      }
    }
    const server = makeServer(tls, listener) as http.Server
    attach(server, listener, {
      ...quiet,
      effectiveRequest: (req) => ({
        host: (req.headers['x-forwarded-host'] as string | undefined) ?? req.headers.host,
        scheme: req.headers['x-forwarded-proto'] === 'https' || isTls(req) ? 'https' : undefined
      })
    })
    return { target: server, heard, close: async () => {} }
  }

const onExpress =
  (express: typeof express5, wrap: (tls: Certificate, app: RequestListener) => Target = (_tls, app) => app): Start =>
  async (tls) => {
    const heard = listenForEnd()
    const app = express().set('env', 'test').set('trust proxy', 'loopback')
    app.use((_req, res, next) => {
      res.set(fields)
      next()
    })
    app.use(forExpress.wsUpgrade(quiet))
    app.get('/refused', (_req, res) => void res.status(refusal.status).set(refusal.fields).json(refusal.body))
    for (const { path, endpoint, handler } of routes) {
      app.get(path, (req, res) =>
        forExpress.acceptWebSocket(req, res, endpoint, (socket) =>
          handler(socket, { ip: req.ip, peer: req.socket.remoteAddress, raw: req }, heard)
        )
      )
    }
    return { target: wrap(tls, app), heard, close: async () => {} }
  }

const onKoa =
  (wrap: (tls: Certificate, app: Koa) => Target = (_tls, app) => app): Start =>
  async (tls) => {
    const heard = listenForEnd()
    const app = new Koa({ proxy: true })
    // Over HTTP/2, it prints that a connection was reset.
    app.silent = true
    app.use(async (ctx, next) => {
      ctx.set(fields)
      await next()
    })
    app.use(forKoa.wsUpgrade(quiet))
    app.use((ctx) => {
      if (ctx.path === '/refused') {
        ctx.status = refusal.status
        ctx.set(refusal.fields)
        ctx.body = refusal.body
      }
      const route = routes.find(({ path }) => path === ctx.path)
      if (route === undefined) return
      const { endpoint, handler } = route
      ctx.acceptWebSocket(endpoint, (socket) =>
        handler(socket, { ip: ctx.ip, peer: ctx.req.socket.remoteAddress, raw: ctx.req }, heard)
      )
    })
    return { target: wrap(tls, app), heard, close: async () => {} }
  }

const onFastify =
  (options: (tls: Certificate) => object): Start =>
  async (tls) => {
    const heard = listenForEnd()
    const app = Fastify({ trustProxy: '127.0.0.1', ...options(tls) }) as FastifyInstance
    await app.register(wsPlugin, quiet)
    app.addHook('onRequest', async (_request, reply) => {
      reply.headers(fields)
    })
    app.get('/refused', async (_request, reply) => {
      reply.removeHeader('Set-Cookie')
      return reply.code(refusal.status).headers(refusal.fields).send(refusal.body)
    })
    for (const { path, endpoint, handler } of routes) {
      app.get(path, { websocket: endpoint }, (socket, request) =>
        handler(socket, { ip: request.ip, peer: request.socket.remoteAddress, raw: request.raw }, heard)
      )
    }
    return { target: app, heard, close: () => app.close() }
  }

/** How an application is served: protocols, and how to start it. */
export interface Served {
  readonly start: Start
  readonly isSecure: boolean
  readonly http2: boolean
}

const served = (start: Start, isSecure = false, http2 = false): Served => ({ start, isSecure, http2 })

export const applications: [name: string, served: Served][] = [
  ['node:http', served(onCore((_tls, listener) => http.createServer(listener)))],
  ['node:https', served(onCore(https.createServer), true)],
  [
    'node:http2',
    served(
      onCore((_tls, listener) => http2.createServer(listener as never)),
      false,
      true
    )
  ],
  [
    'node:http2 over TLS',
    served(
      onCore((tls, listener) => http2.createSecureServer(tls, listener as never)),
      true,
      true
    )
  ],
  ['Express 5', served(onExpress(express5))],
  ['Express 5 over TLS', served(onExpress(express5, https.createServer), true)],
  ['Express 4', served(onExpress(express4 as typeof express5))],
  ['Koa', served(onKoa())],
  [
    'Koa over HTTP/2',
    served(
      onKoa((tls, app) => http2.createSecureServer(tls, app.callback())),
      true,
      true
    )
  ],
  ['Fastify', served(onFastify(() => ({})))],
  [
    'Fastify over TLS',
    served(
      onFastify((tls) => ({ https: tls })),
      true
    )
  ],
  [
    'Fastify over HTTP/2',
    served(
      onFastify(() => ({ http2: true })),
      false,
      true
    )
  ],
  [
    'Fastify over HTTP/2 and TLS',
    served(
      onFastify((tls) => ({ http2: true, https: { ...tls, allowHTTP1: true } })),
      true,
      true
    )
  ],
  [
    'Fastify over TLS beside HTTP/2',
    served(
      onFastify((tls) => ({ http2: true, https: { ...tls, allowHTTP1: true } })),
      true,
      false
    )
  ]
]

export const startApplication = async ({ start }: Served): Promise<Application> => start(await certificate())
