import Router from '@koa/router'
import { wsUpgrade } from '@oneport/koa'
import Koa from 'koa'

const users = new Map([['Bearer secret-of-ada', 'ada']])
const app = new Koa()
const websockets = wsUpgrade()
app.use(websockets)
app.use(async (ctx, next) => {
  const start = Date.now()
  await next()
  ctx.set('X-Response-Time', `${Date.now() - start}ms`)
})
app.use(async (ctx, next) => {
  ctx.cookies.set('visited', 'yes', { httpOnly: true, sameSite: 'lax' })
  ctx.state.user = users.get(ctx.get('Authorization'))
  if (ctx.state.user === undefined) ctx.throw(401, 'A token is needed.', { headers: { 'WWW-Authenticate': 'Bearer' } })
  await next()
})
const router = new Router()
router.get('/chat/:room', (ctx) => {
  const { room } = ctx.params
  if (room === 'cellar') ctx.throw(404, 'There is no room cellar.')
  ctx.acceptWebSocket((socket) => {
    socket.send(`Welcome to ${room}, ${ctx.state.user}.`)
    socket.on('message', (data) => socket.send(String(data)))
  })
})
app.use(router.routes())
const server = app.listen(process.env.PORT)
process.once('SIGTERM', () => {
  server.close()
  websockets.drain({ code: 1012 })
})
