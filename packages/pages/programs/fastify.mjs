import cookie from '@fastify/cookie'
import { wsPlugin } from '@oneport/fastify'
import Fastify from 'fastify'

const users = new Map([['Bearer secret-of-ada', 'ada']])
const app = Fastify()
await app.register(wsPlugin, { drain: { code: 1012 } })
await app.register(cookie)
app.decorateRequest('user', '')
app.addHook('onRequest', async (request, reply) => {
  reply.setCookie('visited', 'yes', { httpOnly: true, sameSite: 'lax' })
  request.user = users.get(request.headers.authorization)
  if (request.user === undefined) {
    return reply.code(401).header('WWW-Authenticate', 'Bearer').send({ message: 'A token is needed.' })
  }
})
app.addHook('preHandler', async (request, reply) => {
  if (request.params.room === 'cellar') return reply.code(404).send({ message: 'There is no room cellar.' })
})
app.addHook('onSend', async (_request, reply) => {
  reply.header('X-Response-Time', `${Math.round(reply.elapsedTime)}ms`)
})
app.get('/chat/:room', { websocket: true }, (socket, request) => {
  socket.send(`Welcome to ${request.params.room}, ${request.user}.`)
  socket.on('message', (data) => socket.send(String(data)))
})
process.once('SIGTERM', () => app.close())
await app.listen({ port: Number(process.env.PORT) })
