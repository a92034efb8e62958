import fastifyWebsocket, {
  type WebSocket,
  type WebsocketHandler,
  type WebsocketPluginOptions
} from '@oneport/fastify/fastify-websocket'
import Fastify, { type FastifyRequest } from 'fastify'

// An application that has moved from @fastify/websocket.
const options: WebsocketPluginOptions = { options: { maxPayload: 1_048_576 }, errorHandler: () => {} }
const app = Fastify()
await app.register(fastifyWebsocket, options)
// @ts-expect-error no option of ws has this name
await app.register(fastifyWebsocket, { options: { maxPayload: 'large' } })
app.get('/plain', async (request) => request.ws)
const handler: WebsocketHandler = (socket: WebSocket, request: FastifyRequest) => socket.send(request.url)
app.get('/handler', { websocket: true }, handler)
const client = await app.injectWS('/handler')
client.terminate()
for (const one of app.websocketServer.clients) one.close()
