import { once } from 'node:events'
import { closed, connectClient } from '@oneport/adapter-testsuite'
import { acceptWebSocket } from '../src/index.ts'
import { serve, stopAll } from './server.ts'

afterEach(async () => {
  jest.useRealTimers()
  await stopAll()
})

test('a handler that only sends and never ends stays paused for 10 seconds at the most', async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'performance', 'queueMicrotask', 'setImmediate', 'setInterval'] })
  const { target, attachment } = await serve((req, res) =>
    acceptWebSocket(req, res, (socket) => {
      socket.send('pushed')
      return new Promise(() => {})
    })
  )
  const { socket, next } = await connectClient(target, '/')
  expect(await next()).toBe('pushed')
  for (let count = 0; count < 6; count++) socket.send('x'.repeat(60_000))
  const [connection] = attachment.connections
  while (!connection?.isPaused) await new Promise(setImmediate)
  const pong = once(socket, 'pong')
  socket.ping()
  jest.advanceTimersByTime(10_000)
  await pong
  const end = closed(socket)
  socket.close(4001)
  expect((await end).code).toBe(4001)
})

test('a handler that takes one message at a time gets each of them, in order', async () => {
  const taken: string[] = []
  const { target } = await serve((req, res) =>
    acceptWebSocket(req, res, async (socket) => {
      for (let count = 0; count < 4; count++) {
        const [data] = await once(socket, 'message')
        taken.push(String(data))
        await new Promise(setImmediate)
      }
      socket.close(4002)
    })
  )
  const { socket } = await connectClient(target, '/')
  const end = closed(socket)
  for (const text of ['one', 'two', 'three', 'four']) socket.send(text)
  expect((await end).code).toBe(4002)
  expect(taken).toEqual(['one', 'two', 'three', 'four'])
})
