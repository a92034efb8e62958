import { wsPlugin } from '@oneport/fastify'
import Fastify from 'fastify'

const app = Fastify()

// error: 'allowedOrigin' does not exist in type 'FastifyRegisterOptions<WsPluginOptions>'
await app.register(wsPlugin, { allowedOrigin: [] })

// error: 'subprotocol' does not exist in type 'EndpointOptions … Did you mean to write 'subprotocols'?
app.get('/chat', { websocket: { subprotocol: [] } }, (socket) => socket.send('Welcome.'))

// error: Type '"*"' is not assignable to type 'AllowedOrigins | undefined'.
app.get('/chat', { websocket: { allowedOrigins: '*' } }, (socket) => socket.send('Welcome.'))

// error: Property 'sent' does not exist on type 'WebSocket'.
app.get('/chat', { websocket: true }, (socket) => socket.sent('Welcome.'))

app.get('/chat', (_request, reply) =>
  // error: 'subprotocol' does not exist in type 'AcceptOptions'. Did you mean to write 'subprotocols'?
  reply.acceptWebSocket({ subprotocol: [] }, (socket) => socket.send('Welcome.'))
)
