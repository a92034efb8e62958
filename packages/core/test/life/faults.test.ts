import { EventEmitter } from 'node:events'
import { closed, connectClient } from '@oneport/test-kit'
import type { WebSocket } from 'ws'
import { acceptWebSocket, type FaultContext } from '../../src/index.ts'
import { serve, stopAll } from '../server.ts'

afterEach(stopAll)

/** Serves an endpoint. Returns the phases and messages of its faults. */
async function serveWith(handler: (socket: WebSocket) => unknown) {
  const faults: [phase: FaultContext['phase'], message: string][] = []
  const { target, attachment } = await serve((req, res) => acceptWebSocket(req, res, handler), {
    onError: (error, { phase }) => void faults.push([phase, (error as Error).message])
  })
  return { target, attachment, faults }
}

const rejects = async (): Promise<never> => {
  throw new Error('broken')
}

test.each<[how: string, listen: (socket: WebSocket) => void]>([
  [
    'onmessage',
    (socket) => {
      socket.onmessage = rejects
    }
  ],
  ['addEventListener', (socket) => socket.addEventListener('message', rejects)],
  ['a listener for one message', (socket) => socket.addEventListener('message', rejects, { once: true })],
  ['an object with handleEvent', (socket) => socket.addEventListener('message', { handleEvent: rejects } as never)],
  ['on', (socket) => void socket.on('message', rejects)],
  [
    'a promise that cannot be awaited',
    (socket) =>
      void socket.on('message', () => ({
        // biome-ignore lint/suspicious/noThenProperty: that is the point
        get then() {
          throw new Error('broken')
        }
      }))
  ],
  [
    'an error that the application emits itself',
    (socket) => void setImmediate(() => socket.emit('error', new Error('broken')))
  ]
])('regression: a rejection ended the process, or left a connection without listeners: %s', async (_how, listen) => {
  const { target, faults } = await serveWith(listen)
  const { socket } = await connectClient(target, '/')
  const end = closed(socket)
  socket.send('hello')
  expect((await end).code).toBe(1011)
  expect(faults).toEqual([['listener', 'broken']])
})

test('handlers of the browser interface are found, added and removed as with ws', async () => {
  const heard: string[] = []
  const first = () => heard.push('first')
  const second = () => heard.push('second')
  const { target } = await serveWith((socket) => {
    socket.onmessage = first
    expect(socket.onmessage).toBe(first)
    socket.onmessage = second
    expect(socket.onmessage).toBe(second)
    socket.addEventListener('message', first)
    socket.addEventListener('message', first)
    expect(socket.listenerCount('message')).toBe(2)
    socket.removeEventListener('message', first)
    expect(EventEmitter.listenerCount(socket as never, 'message')).toBe(1)
    socket.addEventListener('close', () => heard.push('close'))
    socket.addEventListener('message', null as never)
    socket.on('message', () => socket.close())
  })
  const { socket } = await connectClient(target, '/')
  const end = closed(socket)
  socket.send('hello')
  await end
  expect(heard.filter((what) => what !== 'close')).toEqual(['second'])
})
