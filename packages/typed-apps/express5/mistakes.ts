import { acceptWebSocket, checkHandshake, wsUpgrade } from '@oneport/express'
import expressWs from '@oneport/express/express-ws'
import express from 'express'

const app = express()

// error: 'allowedOrigin' does not exist in type … Did you mean to write 'allowedOrigins'?
app.use(wsUpgrade({ allowedOrigin: [] }))

// error: 'maxPayload' does not exist in type
app.use(wsUpgrade({ maxPayload: 65_536 }))

// error: 'interval' does not exist in type 'HeartbeatOptions'. Did you mean to write 'intervalMs'?
app.use(wsUpgrade({ heartbeat: { interval: 1_000 } }))

// error: Type '"*"' is not assignable to type 'AllowedOrigins | undefined'.
app.use(wsUpgrade({ allowedOrigins: '*' }))

// error: 'subprotocol' does not exist in type 'WsUpgradeOptions'. Did you mean to write 'subprotocols'?
app.use(wsUpgrade({ subprotocol: [] }, (socket) => socket.send('Welcome.')))

// error: Property 'sent' does not exist on type 'WebSocket'.
app.use(wsUpgrade((socket) => socket.sent('Welcome.')))

app.get('/chat', (req, res) => {
  // error: 'subprotocol' does not exist in type 'AcceptOptions'. Did you mean to write 'subprotocols'?
  void acceptWebSocket(req, res, { subprotocol: ['chat'] }, (socket) => socket.send('Welcome.'))

  // error: Type 'string' is not assignable to type 'number'.
  void acceptWebSocket(req, res, { maxPayloadBytes: '1' }, (socket) => socket.send('Welcome.'))

  // error: Property 'sent' does not exist on type 'WebSocket'.
  void acceptWebSocket(req, res, (socket) => socket.sent('Welcome.'))

  // error: Did you mean to write 'subprotocols'?
  checkHandshake(req, { subprotocol: [] })
})

// error: 'requireOrigins' does not exist in type 'Options'. Did you mean to write 'requireOrigin'?
expressWs(app, undefined, { requireOrigins: true })
