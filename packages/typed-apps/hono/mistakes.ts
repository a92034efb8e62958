import { acceptWebSocket, attach, webSocket } from '@oneport/hono'
import { Hono } from 'hono'

const app = new Hono<{ Variables: { user: string } }>()

// error: 'subprotocol' does not exist in type 'EndpointOptions'. Did you mean to write 'subprotocols'?
webSocket({ subprotocol: [] }, (socket) => socket.send('Welcome.'))

// error: Type '"*"' is not assignable to type 'AllowedOrigins | undefined'.
webSocket({ allowedOrigins: '*' }, (socket) => socket.send('Welcome.'))

// error: Property 'sent' does not exist on type 'WebSocket'.
webSocket((socket) => socket.sent('Welcome.'))

app.get('/chat', (c) =>
  // error: 'subprotocol' does not exist in type 'AcceptOptions'. Did you mean to write 'subprotocols'?
  acceptWebSocket(c, { subprotocol: [] }, (socket) => socket.send('Welcome.'))
)

// error: is not assignable to parameter of type 'HttpServer'
attach(app)
