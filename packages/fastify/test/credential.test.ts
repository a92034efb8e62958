import { closed } from '@oneport/adapter-testsuite'
import { renew } from '../src/index.ts'
import { connect, makeApp, start } from './harness.ts'

test('a connection is closed when its credential ends, and by revoke with its key', async () => {
  const app = await makeApp()
  app.get<{ Params: { user: string } }>('/news/:user', (request, reply) =>
    reply.acceptWebSocket({ key: request.params.user, expiresAt: Date.now() + 60_000 }, (socket) => {
      if (request.params.user === 'eve') renew(socket, Date.now() + 50)
    })
  )
  const target = await start(app)
  const [ada, bob, eve] = await Promise.all(['ada', 'bob', 'eve'].map((user) => connect(target, `/news/${user}`)))
  expect((await closed(eve?.socket as never)).code).toBe(4401)
  expect(app.websockets.connectionsOf('ada').size).toBe(1)
  const end = closed(ada?.socket as never)
  expect(app.websockets.revoke('ada')).toBe(1)
  expect(await end).toEqual({ code: 4401, reason: 'credential revoked' })
  expect(bob?.socket.readyState).toBe(1)
})

test('a token among the subprotocols is the Authorization that hooks see', async () => {
  const app = await makeApp({}, { bearerSubprotocol: 'bearer.', subprotocols: ['news'] })
  const seen: unknown[] = []
  app.addHook('onRequest', async ({ headers }) => void seen.push(headers.authorization))
  app.get('/news', { websocket: true }, (socket) => socket.send('hello'))
  const { response, next } = await connect(await start(app), '/news', ['news', 'bearer.abc'])
  expect(await next()).toBe('hello')
  expect(response.headers['sec-websocket-protocol']).toBe('news')
  expect(seen).toEqual(['Bearer abc'])
})
