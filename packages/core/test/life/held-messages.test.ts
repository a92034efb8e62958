import { once } from 'node:events'
import { clientFrame, closed, connectClient, handshake, headArrived, maskedText, opcodes } from '@oneport/test-kit'
import type { WebSocket } from 'ws'
import { acceptWebSocket } from '../../src/index.ts'
import { connectionOf } from '../../src/life/contained-socket.ts'
import { open, read, serve, stopAll } from '../server.ts'

afterEach(async () => {
  jest.useRealTimers()
  await stopAll()
})

test('a handler that only sends and never ends stays paused for at most 10 seconds', async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'setInterval'] })
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
  while (!connectionOf(connection as WebSocket)?.isPaused) await new Promise(setImmediate)
  const pong = once(socket, 'pong')
  socket.ping()
  jest.advanceTimersByTime(10_000)
  await pong
  const end = closed(socket)
  socket.close(4001)
  expect((await end).code).toBe(4001)
})

test('a handler that reads one message at a time gets each of them, in order', async () => {
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

test('a handler that reads one message at a time gets all that arrived with the close frame', async () => {
  const taken: string[] = []
  const { target, attachment } = await serve((req, res) =>
    acceptWebSocket(req, res, async (socket) => {
      while (taken.length < 3) taken.push(String((await once(socket, 'message'))[0]))
    })
  )
  const raw = await open(target)
  raw.write(handshake('/'))
  await read(raw, headArrived)
  const [connection] = attachment.connections
  const end = closed(connection as WebSocket)
  raw.write(Buffer.concat(['a', 'b', 'c'].map(maskedText).concat(clientFrame(opcodes.close))))
  await end
  expect(taken).toEqual(['a', 'b', 'c'])
})

test('regression: a handler that reads one message at a time and works on each lost later ones when the client left', async () => {
  const taken: string[] = []
  let closed = false
  const { target, attachment } = await serve((req, res) =>
    acceptWebSocket(req, res, async (socket) => {
      socket.once('close', () => {
        closed = true
        taken.push('close')
      })
      while (!closed) {
        const next = once(socket, 'message')
        const [data] = await Promise.race([next, once(socket, 'close').then(() => [])])
        if (data === undefined) return
        taken.push(String(data))
        // Until the client has gone for good.
        while (attachment.stats().open > 0) await new Promise(setImmediate)
      }
    })
  )
  const raw = await open(target)
  raw.write(handshake('/'))
  await read(raw, headArrived)
  raw.write(Buffer.concat([...['a', 'b', 'c'].map(maskedText), clientFrame(opcodes.close)]))
  while (taken.at(-1) !== 'close') await new Promise(setImmediate)
  expect(taken).toEqual(['a', 'b', 'c', 'close'])
  expect(attachment.stats()).toMatchObject({ open: 0, closed: { 1005: 1 } })
})

test('regression: removeAllListeners() lost messages that waited for a listener', async () => {
  let goOn = (): void => {}
  const { target } = await serve((req, res) =>
    acceptWebSocket(req, res, async (socket) => {
      await new Promise<void>((resolve) => {
        goOn = resolve
      })
      socket.removeAllListeners()
      socket.on('message', (data) => socket.send(`heard ${data}`))
      await once(socket, 'close')
    })
  )
  const { socket, next } = await connectClient(target, '/')
  socket.send('early')
  const pong = once(socket, 'pong')
  socket.ping()
  await pong
  goOn()
  expect(await next()).toBe('heard early')
  socket.close()
})
