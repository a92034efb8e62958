import type { AddressInfo } from 'node:net'
import { describeAdapter, fields } from '@oneport/adapter-testsuite'
import Fastify, { type FastifyInstance } from 'fastify'
import { wsPlugin } from '../src/index.ts'

describeAdapter('Fastify', async ({ routes, options, tls }) => {
  const app = Fastify({ https: tls ?? null } as object) as FastifyInstance
  await app.register(wsPlugin, options)
  app.addHook('onRequest', async (_request, reply) => {
    for (const [name, value] of fields) reply.header(name, value)
  })
  app.route({ method: ['GET', 'POST'], url: '/plain', handler: async () => 'plain' })
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  for (const { path, before, endpoint, handler } of routes) {
    app.get(path, { websocket: endpoint, preHandler: (request) => before(request.raw) }, handler)
  }
  await app.listen({ port: 0, host: '127.0.0.1' })
  return {
    port: (app.server.address() as AddressInfo).port,
    drain: () => app.websockets.drain(),
    close: () => app.close()
  }
})
