import { wsUpgrade } from '@oneport/koa'
import Koa from 'koa'

const app = new Koa()

// error: 'allowedOrigin' does not exist in type … Did you mean to write 'allowedOrigins'?
app.use(wsUpgrade({ allowedOrigin: [] }))

// error: 'effectiveRequest' does not exist in type 'WsUpgradeOptions'.
app.use(wsUpgrade({ effectiveRequest: () => ({}) }))

app.use((ctx) => {
  // error: 'subprotocol' does not exist in type 'AcceptOptions'. Did you mean to write 'subprotocols'?
  ctx.acceptWebSocket({ subprotocol: ['chat'] }, (socket) => socket.send('Welcome.'))

  // error: Property 'sent' does not exist on type 'WebSocket'.
  ctx.acceptWebSocket((socket) => socket.sent('Welcome.'))
})
