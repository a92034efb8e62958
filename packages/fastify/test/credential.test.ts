import { connect } from '@oneport/testing'
import { renew } from '../src/index.ts'
import { makeApp } from './harness.ts'

test('a connection is closed when its credential expires, and by revoke with its key', async () => {
  const app = await makeApp()
  app.get<{ Params: { user: string } }>('/news/:user', (request, reply) =>
    reply.acceptWebSocket({ key: request.params.user, expiresAt: Date.now() + 60_000 }, (socket) => {
      if (request.params.user === 'eve') renew(socket, Date.now() + 50)
    })
  )
  const [ada, bob, eve] = await Promise.all([
    connect(app, '/news/ada'),
    connect(app, '/news/bob'),
    connect(app, '/news/eve')
  ])
  expect((await eve.closed).code).toBe(4401)
  expect(app.websockets.connectionsOf('ada').size).toBe(1)
  expect(app.websockets.revoke('ada')).toBe(1)
  expect(await ada.closed).toEqual({ code: 4401, reason: 'credential revoked', clean: true })
  await bob.ping()
})

test('a token among the subprotocols is the Authorization field that hooks see', async () => {
  const app = await makeApp({}, { bearerSubprotocol: 'bearer.', subprotocols: ['news'] })
  const seen: unknown[] = []
  app.addHook('onRequest', async ({ headers }) => void seen.push(headers.authorization))
  app.get('/news', { websocket: true }, (socket) => socket.send('hello'))
  const client = await connect(app, '/news', { subprotocols: ['news', 'bearer.abc'] })
  expect(await client.next()).toBe('hello')
  expect(client.subprotocol).toBe('news')
  expect(seen).toEqual(['Bearer abc'])
})
