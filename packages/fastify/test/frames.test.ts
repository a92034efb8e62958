import type { AddressInfo } from 'node:net'
import { connectClient } from '@oneport/test-kit'
import Fastify from 'fastify'
import { wsPlugin } from '../src/index.ts'

test('no more than eleven stack frames between Fastify and the handler of a route are ours', async () => {
  let stack: string[] = []
  const app = Fastify()
  await app.register(wsPlugin)
  app.get('/', { websocket: true }, function handler(socket) {
    stack = new Error('here').stack?.split('\n').slice(1) ?? []
    socket.close()
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  await connectClient({ port: (app.server.address() as AddressInfo).port }, '/')
  await app.close()
  const caller = stack.findIndex((line) => line.includes(' preHandlerCallback'))
  expect(caller).toBeGreaterThan(0)
  const ours = stack.slice(1, caller).filter((line) => !line.includes('node_modules'))
  expect(ours.length).toBeLessThanOrEqual(11)
})
