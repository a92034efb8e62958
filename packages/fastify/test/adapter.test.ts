import { cases, type Subject } from '@oneport/adapter-testsuite'
import { describeOtherClients } from '@oneport/test-kit'
import Fastify, { type FastifyInstance } from 'fastify'
import { wsPlugin } from '../src/index.ts'

const serve: Subject = async ({ before, endpoints, fields, http2, lateFields, options, pages, serverOptions, tls }) => {
  const app = Fastify({ http2, [tls ? 'https' : 'http']: serverOptions } as object) as FastifyInstance
  await app.register(wsPlugin, options)
  app.addHook('onRequest', async (_request, reply) => void reply.headers(fields))
  app.addHook('preHandler', (request, reply) => before(request.raw, reply.raw))
  app.addHook('onSend', async (_request, reply) => void reply.headers(lateFields))
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  for (const { path, text } of pages) {
    app.route({ method: ['GET', 'POST'], url: path, handler: async () => text })
  }
  for (const { path, options, handler } of endpoints) app.get(path, { websocket: options }, handler)
  await app.listen({ port: 0, host: '127.0.0.1' })
  return { server: app.server, drain: () => app.websockets.drain(), close: () => app.close() }
}

describe('Fastify', () => {
  for (const { name, run } of cases(serve, { http2: true })) test(name, run)
  describeOtherClients(serve, { http2: true })
})
