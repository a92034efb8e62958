import type { AddressInfo } from 'node:net'
import { connectClient, handshake, type Inbox, sendRaw } from '@oneport/test-kit'
import Fastify, { type FastifyInstance } from 'fastify'
import { WebSocketServer } from 'ws'
import { wsPlugin } from '../src/index.ts'

let app: FastifyInstance
const clients: Inbox[] = []
afterEach(async () => {
  for (const { socket } of clients.splice(0)) socket.terminate()
  await app.close()
})

test.each(['before', 'after'])('shares the server with a bare ws server that is added %s the plugin', async (order) => {
  app = Fastify()
  const addWs = () =>
    new WebSocketServer({ server: app.server, path: '/bare' }).on('connection', (socket) => socket.send('theirs'))
  if (order === 'before') addWs()
  await app.register(wsPlugin)
  if (order === 'after') addWs()
  const answered: number[] = []
  app.addHook('onResponse', async (_request, reply) => void answered.push(reply.statusCode))
  app.get('/chat', { websocket: true, onRequest: async () => {} }, (socket) => socket.send('ours'))
  await app.listen({ port: 0, host: '127.0.0.1' })
  const target = { port: (app.server.address() as AddressInfo).port }

  const ours = await connectClient(target, '/chat')
  clients.push(ours)
  expect(await ours.next()).toBe('ours')
  const theirs = await connectClient(target, '/bare')
  clients.push(theirs)
  expect(await theirs.next()).toBe('theirs')
  const nowhere = await sendRaw(target, handshake('/nowhere'))
  expect(nowhere.status).toBe(404)
  expect(nowhere.rest).toContain('Route GET:/nowhere not found')
  // What the other server accepted is not a response of this application.
  expect(answered).toEqual([101, 404])
})
