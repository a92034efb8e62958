import { describeBrowsers } from '@oneport/test-kit'
import Fastify from 'fastify'
import { wsPlugin } from '../src/index.ts'

describeBrowsers('Fastify', async ({ tls, page, paths, endpoint, handler }) => {
  const app = Fastify({ http2: true, https: { ...tls, allowHTTP1: true }, forceCloseConnections: true })
  await app.register(wsPlugin)
  app.get('/', (_request, reply) => reply.type('text/html').send(page))
  for (const path of paths) app.get(path, { websocket: endpoint }, handler)
  await app.listen({ port: 0, host: '127.0.0.1' })
  return { server: app.server, close: () => app.close() }
})
