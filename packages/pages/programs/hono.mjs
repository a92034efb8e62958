import { serve } from '@hono/node-server'
import { acceptWebSocket, attach } from '@oneport/hono'
import { Hono } from 'hono'
import { setCookie } from 'hono/cookie'

const users = new Map([['Bearer secret-of-ada', 'ada']])

const app = new Hono()
app.use(async (c, next) => {
  const start = Date.now()
  await next()
  c.header('X-Response-Time', `${Date.now() - start}ms`)
})
app.use(async (c, next) => {
  setCookie(c, 'visited', 'yes', { httpOnly: true, sameSite: 'Lax' })
  const user = users.get(c.req.header('Authorization'))
  if (user === undefined) return c.json({ message: 'A token is needed.' }, 401, { 'WWW-Authenticate': 'Bearer' })
  c.set('user', user)
  await next()
})
app.get('/chat/:room', (c) => {
  const { room } = c.req.param()
  if (room === 'cellar') return c.json({ message: 'There is no room cellar.' }, 404)
  return acceptWebSocket(c, {}, (socket) => {
    socket.send(`Welcome to ${room}, ${c.get('user')}.`)
    socket.on('message', (data) => socket.send(String(data)))
  })
})
const server = serve({ fetch: app.fetch, port: Number(process.env.PORT) })
const websockets = attach(server)
process.once('SIGTERM', () => {
  server.close()
  websockets.drain({ code: 1012 })
})
