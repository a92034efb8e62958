import { createServer } from 'node:http'
import Koa from 'koa'
import { acceptWebSocket, attachWebSockets, webSockets } from './koa-websockets.mjs'

const app = new Koa()
app.use(webSockets)
app.use(async (ctx, next) => {
  await next()
  ctx.set('X-Endpoint', ctx.path)
})
app.use((ctx) => {
  acceptWebSocket(ctx, { subprotocols: ['chat.v1'] }, (socket) => socket.send(`Welcome to ${ctx.path}.`))
})

const server = createServer(app.callback())
attachWebSockets(server)
server.listen(process.env.PORT ?? 3000)
