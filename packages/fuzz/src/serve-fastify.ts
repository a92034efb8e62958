import { isWebSocketRequest } from '@oneport/core'
import { wsPlugin } from '@oneport/fastify'
import Fastify, { type FastifyRequest } from 'fastify'
import type { Application, Options } from './application.ts'
import { enter } from './books.ts'
import { endpoints } from './endpoints.ts'
import { routes } from './routes.ts'

export async function serveFastify(options: Options): Promise<Application> {
  const app = Fastify()
  await app.register(wsPlugin, options)
  app.addHook('onRequest', async (request, reply) => enter(request.raw, reply.raw))
  for (const { path, serve } of routes) {
    app.get(path, (_request, reply) => {
      reply.hijack()
      serve(reply.raw)
    })
  }
  app.get('/plain', async () => 'plain')
  for (const { path, before, options: own, serve } of endpoints) {
    const preHandler = async ({ raw }: FastifyRequest): Promise<void> => {
      if (isWebSocketRequest(raw)) await before()
    }
    app.get(path, { websocket: own, preHandler }, serve)
  }
  await app.listen({ port: 0, host: '127.0.0.1' })
  return { server: app.server, attachment: app.websockets }
}
