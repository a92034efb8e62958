import { connectClient } from '@oneport/test-kit'
import { acceptWebSocket } from '../src/index.ts'
import { serve, stopAll } from './server.ts'

afterEach(stopAll)

test('there are no more than six stack frames between a route and its handler', async () => {
  let stack: string[] = []
  const { target } = await serve(function route(req, res) {
    return acceptWebSocket(req, res, function handler(socket) {
      stack = new Error('here').stack?.split('\n').slice(1) ?? []
      socket.close()
    })
  })
  await connectClient(target, '/')
  const route = stack.findIndex((line) => line.includes('.route '))
  expect(route).toBeGreaterThan(0)
  // Without the handler itself.
  expect(stack.slice(1, route).length).toBeLessThanOrEqual(6)
})
