import { wsPlugin } from '@oneport/fastify'
import Fastify from 'fastify'
import { echo } from '../echo.cjs'

export async function start() {
  const app = Fastify()
  await app.register(wsPlugin)
  app.get('/chat', { websocket: true }, echo)
  app.get('/refused', (_request, reply) => reply.code(429).send('plain'))
  app.get('/plain', () => 'plain')
  await app.listen({ port: 0, host: '127.0.0.1' })
  return { port: app.server.address().port, close: () => app.close() }
}
