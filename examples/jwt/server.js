import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import jwt from '@fastify/jwt'
import staticFiles from '@fastify/static'
import { renew, wsPlugin } from '@oneport/fastify'
import Fastify from 'fastify'

const port = Number(process.env.PORT ?? 3000)
const lifetimeSeconds = Number(process.env.TOKEN_SECONDS ?? 60)

function readSecret() {
  const secret = process.env.JWT_SECRET
  if (secret) return secret
  if (process.env.NODE_ENV === 'production') throw new Error('Set JWT_SECRET to a long random text.')
  console.log('JWT_SECRET is not set: tokens are good as long as this process lives.')
  return randomBytes(32).toString('hex')
}

const app = Fastify()
// A page can't set Authorization. It offers the token as a subprotocol, and this makes Authorization of it.
await app.register(wsPlugin, { bearerSubprotocol: 'bearer.', subprotocols: ['greeting.v1'], maxPayloadBytes: 4_096 })
await app.register(jwt, {
  secret: readSecret(),
  sign: { algorithm: 'HS256', expiresIn: `${lifetimeSeconds}s` },
  verify: { algorithms: ['HS256'] }
})
await app.register(staticFiles, { root: fileURLToPath(new URL('public', import.meta.url)) })

// Stands for whoever gives out your tokens, once they know who asks.
const named = {
  type: 'object',
  required: ['name'],
  properties: { name: { type: 'string', minLength: 1, maxLength: 32 } }
}
app.post('/token', { schema: { body: named } }, async (request) => ({
  token: app.jwt.sign({ sub: request.body.name })
}))

const requireToken = (request) => request.jwtVerify()

app.get('/greeting', { onRequest: requireToken }, (request, reply) => {
  const { sub: name, exp } = request.user
  return reply.acceptWebSocket({ key: name, expiresAt: exp * 1_000 }, (socket) => {
    const greet = (seconds) => socket.send(JSON.stringify({ name, expiresAt: seconds * 1_000 }))
    greet(exp)

    // A message is a newer token. The connection goes on until that one ends.
    socket.on('message', (data) => {
      const newer = verify(String(data))
      if (newer?.sub !== name) return socket.close(4403, 'not a token of yours')
      renew(socket, newer.exp * 1_000)
      greet(newer.exp)
    })
  })
})

/** What a token says; undefined for one that is not good. */
function verify(token) {
  try {
    return app.jwt.verify(token)
  } catch {
    return undefined
  }
}

await app.listen({ port })
console.log(`Open http://localhost:${port}/`)
