import { type TypeBoxTypeProvider, TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import type { FastifyPluginAsync } from 'fastify'
import { Type } from 'typebox'
import type { WebSocket } from '../../src/index.ts'

/** Whether two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles only for `true`. */
function holds<_Claim extends true>(): void {}

const schema = {
  params: Type.Object({ id: Type.Number() }),
  querystring: Type.Object({ token: Type.Optional(Type.String()) })
}

/** Routes with schemas of TypeBox, which exists only as an ES module. The compiler checks the claims about types. */
const routes: FastifyPluginAsync = async (scope) => {
  const app = scope.setValidatorCompiler(TypeBoxValidatorCompiler).withTypeProvider<TypeBoxTypeProvider>()

  app.get('/websocket/:id', { websocket: true, schema }, (socket, request) => {
    holds<Same<typeof socket, WebSocket>>()
    holds<Same<typeof request.params, { id: number }>>()
    holds<Same<typeof request.query.token, string | undefined>>()
    // @ts-expect-error not in the schema
    request.params.name
    socket.send(JSON.stringify([request.params.id + 1, request.query.token]))
  })

  const response = { 200: Type.Object({ page: Type.String() }), 403: Type.Object({ error: Type.String() }) }
  app.get('/reply/:id', { schema: { ...schema, response } }, async (request, reply) => {
    holds<Same<typeof request.params, { id: number }>>()
    // @ts-expect-error not in the schema
    request.query.limit
    if (request.params.id === 0) return reply.code(403).send({ error: 'no' })
    return reply.acceptWebSocket((socket) => socket.send(String(request.params.id + 2)))
  })

  app.route({
    method: 'GET',
    url: '/both/:id',
    schema,
    handler: async (request) => {
      holds<Same<typeof request.params, { id: number }>>()
      return String(request.params.id + 1)
    },
    wsHandler: (socket, request) => {
      holds<Same<typeof request.params, { id: number }>>()
      socket.send(String(request.params.id + 3))
    }
  })

  app.route({
    method: 'GET',
    url: '/route/:id',
    schema,
    websocket: { subprotocols: ['chat'] },
    handler: (socket, request) => {
      holds<Same<typeof request.params, { id: number }>>()
      // @ts-expect-error the second parameter is the request
      request.send
      socket.send(String(request.params.id + 4))
    }
  })
}

export const typed: FastifyPluginAsync = async (app) => {
  await app.register(routes, { prefix: '/typed' })
}
