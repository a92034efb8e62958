import type { AddressInfo } from 'node:net'
import cookie from '@fastify/cookie'
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import { wsPlugin } from '../../src/index.ts'
import { typed } from './typed-routes.ts'

// process.test.ts starts this program: Fastify outside of Jest, in which Node's errors are not `instanceof Error` and
// the ES module that @fastify/cookie loads cannot be imported.
async function main() {
  const app = Fastify()
  await app.register(cookie, { secret: 'secret' })
  await app.register(wsPlugin)

  app.get(
    '/cookies',
    {
      websocket: true,
      onRequest: async (_request, reply) => {
        reply.setCookie('first', '1', { path: '/' })
        reply.setCookie('second', '2', { httpOnly: true, signed: true })
      }
    },
    (socket, request) => socket.send(JSON.stringify(request.cookies))
  )
  app.get('/session', {
    preHandler: async (request) => {
      const { valid, value } = request.unsignCookie(request.cookies.session ?? '')
      if (!valid || value !== 'ann') throw Object.assign(new Error('Log in first'), { statusCode: 401 })
    },
    handler: async (_request, reply) => reply.acceptWebSocket((socket) => socket.send('welcome'))
  })
  app.get('/sign', async () => app.signCookie('ann'))

  const set = (request: FastifyRequest, reply: FastifyReply) => {
    reply.header('X-Name', decodeURIComponent(String(request.headers['x-value'])))
  }
  const handlers = {
    plain: async () => 'plain',
    websocket: (_request: FastifyRequest, reply: FastifyReply) => reply.acceptWebSocket(() => process.send?.('opened'))
  }
  for (const [kind, handler] of Object.entries(handlers)) {
    const onRequest = async (request: FastifyRequest, reply: FastifyReply) => set(request, reply)
    app.get(`/${kind}/onRequest`, { onRequest }, handler)
    const onSend = async (request: FastifyRequest, reply: FastifyReply) => set(request, reply)
    app.get(`/${kind}/onSend`, { onSend }, handler)
    app.get(`/${kind}/route`, (request, reply) => {
      set(request, reply)
      return handler(request, reply)
    })
  }

  await app.register(typed)

  await app.listen({ port: 0, host: '127.0.0.1' })
  process.send?.((app.server.address() as AddressInfo).port)
  process.on('message', () => {
    process.disconnect()
    void app.close()
  })
}

void main()
