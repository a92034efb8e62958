import type { IncomingMessage } from 'node:http'
import type { WebSocket } from '@oneport/core'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { fastifyWebsocket } from '../../src/fastify-websocket/plugin.ts'
import { appWith, ours } from './subjects.ts'

type RouteOptions = fastifyWebsocket.RouteOptions
type WebsocketHandler = fastifyWebsocket.WebsocketHandler
type WebsocketPluginOptions = fastifyWebsocket.WebsocketPluginOptions

/** Whether two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles only for `true`. */
function holds<_Claim extends true>(): void {}

describe('the types of @fastify/websocket', () => {
  test('include the plugin, under three names', () => {
    const { default: byDefault, fastifyWebsocket: byName } = ours
    holds<Same<typeof byDefault, typeof fastifyWebsocket>>()
    expect([byDefault, byName, ours]).toEqual([fastifyWebsocket, fastifyWebsocket, fastifyWebsocket])
  })

  test('accept instances of other kinds too', () => {
    const register = async () => {
      await Fastify({ https: { key: '', cert: '' } }).register(fastifyWebsocket, { options: { maxPayload: 1 } })
      await Fastify({ logger: { level: 'info' } }).register(fastifyWebsocket)
      // @ts-expect-error it is called maxPayload
      await Fastify().register(fastifyWebsocket, { options: { maxPayloads: '1' } })
      // @ts-expect-error no such option
      await Fastify().register(fastifyWebsocket, { compatibility: '@fastify/websocket' })
    }
    expect(typeof register).toBe('function')
  })

  test('are exported under the same names', () => {
    const handler: WebsocketHandler = (socket, request) => socket.send(request.url)
    const options: WebsocketPluginOptions = {
      errorHandler(error, socket, request, reply) {
        holds<Same<typeof this, FastifyInstance>>()
        holds<Same<typeof error, Error>>()
        holds<Same<typeof socket, WebSocket>>()
        holds<Same<typeof request, FastifyRequest>>()
        holds<Same<typeof reply, FastifyReply>>()
      },
      options: { maxPayload: 1, verifyClient: ({ origin, req }) => origin === req.headers.host },
      preClose: async () => {}
    }
    const route: RouteOptions = { method: 'GET', url: '/', handler: async () => 'http', wsHandler: handler }
    expect([typeof options.errorHandler, route.wsHandler]).toEqual(['function', handler])
  })

  test('are on instance and request', async () => {
    const app = await appWith(ours)
    holds<Same<FastifyRequest['ws'], boolean>>()
    holds<Same<typeof app.websocketServer.clients, Set<WebSocket>>>()
    app.websocketServer.on('connection', (socket, request) => {
      holds<Same<typeof socket, WebSocket>>()
      holds<Same<typeof request, IncomingMessage>>()
    })
    const inject = (): Promise<WebSocket> =>
      app.injectWS('/', { headers: { cookie: 'a=1' } }, { onInit: (ws) => ws.url, onOpen: (ws) => ws.protocol })
    // @ts-expect-error it decides nothing
    const write = (request: FastifyRequest) => (request.ws = true)
    expect([typeof inject, typeof write]).toEqual(['function', 'function'])
  })

  test('leave out what cannot be set here', () => {
    const wrong: WebsocketPluginOptions[] = [
      // @ts-expect-error a route has a path
      { options: { path: '/' } },
      // @ts-expect-error the plugin has a server
      { options: { noServer: true } },
      // @ts-expect-error app.listen() says where
      { options: { port: 3000 } },
      // @ts-expect-error verifyClient is a function
      { options: { verifyClient: true } }
    ]
    expect(wrong).toHaveLength(4)
  })
})
