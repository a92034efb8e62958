import type { Server } from 'node:net'
import websocket from '@fastify/websocket'
import Fastify from 'fastify'
import { echo } from './echo.ts'
import { chooseSubprotocol, isAllowed, listening, path, plainPath, plainText } from './endpoint.ts'

/** The Fastify team's plugin. A hook of the route checks the origin. */
export async function start(): Promise<Server> {
  const app = Fastify()
  await app.register(websocket, { options: { handleProtocols: chooseSubprotocol } })
  app.get(plainPath, async () => plainText)
  app.route({
    method: 'GET',
    url: path,
    preValidation: (request, reply, done) => {
      if (isAllowed(request.raw)) done()
      else reply.code(403).send('Forbidden\n')
    },
    handler: (_request, reply) => reply.code(426).send(),
    wsHandler: (socket) => echo(socket)
  })
  await app.listen(listening)
  return app.server
}
