import { EventEmitter, once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { WebSocket } from 'ws'
import { AdaptedSocketServer, type SocketServerOptions } from '../../src/ws-compatibility.ts'

const req = {} as IncomingMessage
const socket = () => new EventEmitter({ captureRejections: true }) as WebSocket
const make = (options: Partial<SocketServerOptions> = {}) =>
  new AdaptedSocketServer({ instead: new Map(), stop: () => {}, ...options })

test('lists the open clients, and no longer lists a client for its close listeners', () => {
  const server = make()
  const [ann, ben] = [socket(), socket()]
  server.add(ann)
  server.add(ben)
  expect([...server.clients]).toEqual([ann, ben])
  const seen: unknown[] = []
  ann.on('close', () => seen.push(...server.clients))
  ann.emit('close')
  expect(seen).toEqual([ben])
})

test('lists no clients if they are not tracked, but still waits for them', async () => {
  const server = make({ clientTracking: false })
  expect(server.clients).toBeUndefined()
  const client = socket()
  server.add(client)
  const closed = jest.fn()
  server.close(closed)
  await new Promise(process.nextTick)
  expect(closed).not.toHaveBeenCalled()
  client.emit('close')
  await once(server, 'close')
  expect(closed).toHaveBeenCalledTimes(1)
})

test('closes once, with the clients at that moment', () => {
  const stop = jest.fn()
  const server = make({ stop })
  const client = socket()
  server.add(client)
  server.close()
  server.close()
  expect(stop.mock.calls).toEqual([[new Set([client])]])
})

test('emits close in a later turn if no client is open', async () => {
  const server = make()
  server.close()
  await once(server, 'close')
})

test('calls back with an error from a second close()', async () => {
  const server = make()
  server.close()
  expect(await new Promise((resolve) => server.close(resolve))).toEqual(new Error('The server is not running'))
})

test('emits close once, after clients that connected while it was closing', async () => {
  const server = make()
  const [early, late] = [socket(), socket()]
  const closed = jest.fn()
  server.on('close', closed)
  server.add(early)
  server.close()
  server.add(late)
  early.emit('close')
  await new Promise(process.nextTick)
  expect(closed).not.toHaveBeenCalled()
  late.emit('close')
  await once(server, 'close')
  server.add(early)
  early.emit('close')
  await new Promise(process.nextTick)
  expect(closed).toHaveBeenCalledTimes(1)
})

test('refuses a listener for an event that never happens, and says what to use', () => {
  const server = make({ instead: new Map([['headers', 'use hooks']]) })
  const listen = (event: string) => () => server.on(event as 'close', () => {})
  expect(listen('headers')).toThrow(new TypeError("There is no event 'headers' here; use hooks"))
  for (const event of ['toString', 'constructor', '__proto__']) expect(listen(event)).not.toThrow()
})

test('a rejection of a listener for connection is a fault of its socket', async () => {
  const server = make()
  server.on('connection', async () => JSON.parse(''))
  const client = socket()
  const fault = new Promise((resolve) => {
    client[EventEmitter.captureRejectionSymbol] = resolve
  })
  server.emit('connection', client, req)
  expect(await fault).toEqual(expect.any(SyntaxError))
})

test('a rejection of another listener is an error of the process', () => {
  const server = make()
  expect(() => server[EventEmitter.captureRejectionSymbol]?.(new Error('broken'), 'close')).toThrow('broken')
})
