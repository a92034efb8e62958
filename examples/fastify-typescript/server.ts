import { fileURLToPath } from 'node:url'
import staticFiles from '@fastify/static'
import { type TypeBoxTypeProvider, TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import { wsPlugin } from '@oneport/fastify'
import Fastify from 'fastify'
import { Type } from 'typebox'
import { Poll } from './poll.ts'

const port = Number(process.env.PORT ?? 3000)

const polls = new Map([
  ['drinks', new Poll('What will you drink?', ['Tea', 'Coffee', 'Water'])],
  ['tabs', new Poll('Tabs or spaces?', ['Tabs', 'Spaces'])]
])

const app = Fastify().setValidatorCompiler(TypeBoxValidatorCompiler).withTypeProvider<TypeBoxTypeProvider>()
await app.register(wsPlugin, { maxPayloadBytes: 1_024, messageBudget: { messages: 20, perMs: 10_000 } })
await app.register(staticFiles, { root: fileURLToPath(new URL('public', import.meta.url)) })

const schema = { params: Type.Object({ id: Type.String({ pattern: '^[a-z]{1,16}$' }) }) }

app.get('/polls/:id', { schema }, async (request, reply) => {
  const poll = polls.get(request.params.id)
  return poll === undefined ? reply.callNotFound() : poll.count
})

// Validated like any other route: a wrong id gets 400, an unknown one 404, and only then is there a WebSocket.
app.get('/polls/:id/votes', { schema }, (request, reply) => {
  const poll = polls.get(request.params.id)
  if (poll === undefined) return reply.callNotFound()
  return reply.acceptWebSocket((socket) => poll.join(socket))
})

await app.listen({ port })
console.log(`Open http://localhost:${port}/ in two tabs.`)
