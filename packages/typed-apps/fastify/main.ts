import type { Attachment } from '@oneport/core'
import {
  isWebSocketRequest,
  type WebSocket,
  type WebSocketRouteHandler,
  type WsPluginOptions,
  wsPlugin
} from '@oneport/fastify'
import Fastify, { type FastifyInstance, type FastifyPluginAsync, type FastifyRequest, type RouteOptions } from 'fastify'

/** Whether two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles only for `true`. */
const holds = <_Claim extends true>(): void => {}

const options: WsPluginOptions = { maxConnections: 10 }
const app = Fastify({ logger: true })
await app.register(wsPlugin)
await app.register(wsPlugin, options)
await app.register(import('@oneport/fastify'), { allowedOrigins: ['https://app.example'] })
// @ts-expect-error no option has this name
await app.register(wsPlugin, { allowedOrigin: [] })
const plugin: FastifyPluginAsync<WsPluginOptions> = wsPlugin
await app.register(plugin, options)
await Fastify({ https: {} }).register(wsPlugin, options)
await Fastify({ http2: true }).register(wsPlugin, options)

holds<Same<typeof app.websockets, Attachment>>()
holds<Same<typeof app.websockets.connections, ReadonlySet<WebSocket>>>()
app.get('/chat', { websocket: true }, (socket, request) => {
  holds<Same<typeof socket, WebSocket>>()
  socket.send(request.id)
})
app.get<{ Params: { room: string } }>(
  '/chat/:room',
  { websocket: { maxPayloadBytes: 10 } },
  function (socket, request) {
    holds<Same<typeof request.params.room, string>>()
    this.log.info(request.params.room)
    socket.send(request.params.room)
  }
)
app.get('/plain', async (request) => isWebSocketRequest(request.raw))
app.get('/either', async (_request, reply) => {
  reply.header('X-Name', 'value')
  return reply.acceptWebSocket({ subprotocols: ['a'] }, (socket) => socket.send('hello'))
})
app.route({ method: 'GET', url: '/both', handler: async () => 'page', wsHandler: (socket) => socket.send('hello') })
app.route({ method: 'GET', url: '/only', websocket: true, handler: (socket) => socket.send('hello') })
const handler: WebSocketRouteHandler = (socket, request: FastifyRequest) => socket.send(request.url)
app.get('/handler', { websocket: true }, handler)
// @ts-expect-error the handler of such a route gets a socket first
app.get('/wrong', { websocket: true }, async (_request: FastifyRequest, reply: { send(): void }) => reply.send())
const route: RouteOptions = { method: 'GET', url: '/route', handler: async () => 'page' }
app.route(route)
await app.websockets.drain()

export default async function child(instance: FastifyInstance): Promise<void> {
  instance.get('/child', { websocket: true }, (socket) => socket.send('hello'))
}
