import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connectClient } from '@oneport/test-kit'
import express from 'express'
import { acceptWebSocket, wsUpgrade } from '../src/index.ts'

test('there are no more than six stack frames between a route and its handler', async () => {
  let stack: string[] = []
  const app = express()
  app.use(wsUpgrade())
  app.get('/', function route(req, res) {
    return acceptWebSocket(req, res, function handler(socket) {
      stack = new Error('here').stack?.split('\n').slice(1) ?? []
      socket.close()
    })
  })
  const server = createServer(app)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  await connectClient({ port: (server.address() as AddressInfo).port }, '/')
  await once(server.close(), 'close')
  const route = stack.findIndex((line) => line.includes(' route '))
  expect(route).toBeGreaterThan(0)
  expect(stack.slice(1, route).length).toBeLessThanOrEqual(6)
})
