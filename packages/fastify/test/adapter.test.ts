import type { AddressInfo } from 'node:net'
import { type Contract, describeAdapter, fields, type RunningAdapter } from '@oneport/adapter-testsuite'
import Fastify, { type FastifyInstance } from 'fastify'
import { wsPlugin } from '../src/index.ts'

describeAdapter('Fastify', start, { http2: true })

async function start({ routes, options, tls, http2 }: Contract): Promise<RunningAdapter> {
  const https = tls && { https: { ...tls, allowHTTP1: true } }
  const app = Fastify({ http2, ...https } as object) as FastifyInstance
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
}
