import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { closed, connectClient, handshake, headArrived, refused, sendRaw, takePrinted } from '@oneport/test-kit'
import Koa from 'koa'
import type { WebSocket } from 'ws'
import { acceptWebSocket, attach, type Dispatch } from '../src/index.ts'
import { open, read, serve, stopAll } from './server.ts'

afterEach(stopAll)

const echo = (socket: WebSocket) => socket.on('message', (data) => socket.send(String(data)))
const application: Dispatch = (req, res) => acceptWebSocket(req, res, echo)

test.each([
  [
    'something that is not a server',
    undefined,
    application,
    /^attach: expected a server of node:http, node:https or node:http2; got undefined$/
  ],
  ['null', null, application, /^attach: expected a server of node:http, node:https or node:http2; got null$/],
  ['a listener in place of the server', application, undefined, /^attach: expected a server of .*; got a function$/],
  ['an application of Koa', new Koa(), undefined, /; got an application: pass the server that it runs on$/],
  [
    'an application that has its server',
    { server: http.createServer() },
    undefined,
    /; got an application: pass the server that it runs on$/
  ],
  [
    'something that is not a listener',
    http.createServer(),
    'listener',
    /^attach: expected a listener \(req, res\) => … or options; got 'listener'$/
  ]
])('refuses %s', (_what, server, dispatch, message) => {
  expect(() => attach(server as never, dispatch as never)).toThrow(message)
})

test('refuses wrong options at once, and does not attach', () => {
  const server = http.createServer()
  expect(() => attach(server, application, { maxPayloadBytes: -1 })).toThrow(/^attach: maxPayloadBytes: expected/)
  expect(server.listenerCount('upgrade')).toBe(0)
  attach(server, application).detach()
})

test('refuses to attach a server to the same listener twice', async () => {
  const { server, attachment } = await serve(application)
  expect(() => attach(server, application)).toThrow(/already attached to this listener; call detach\(\)/)
  attachment.detach()
  attach(server, application).detach()
})

test('leaves the server as it was after attaching and detaching a hundred times', () => {
  const server = http.createServer()
  const names = () => [...server.eventNames()].map((name) => [name, server.listenerCount(name)])
  const before = names()
  const rule = Reflect.get(server, 'shouldUpgradeCallback')
  for (let round = 0; round < 100; round++) {
    const attachment = attach(server, application)
    attachment.detach()
    attachment.detach()
  }
  expect(names()).toEqual(before)
  expect(Reflect.get(server, 'shouldUpgradeCallback')).toBe(rule)
})

test('keeps open connections after detach, and accepts no new ones', async () => {
  const { target, attachment } = await serve(application)
  const { socket, next } = await connectClient(target, '/')
  attachment.detach()
  socket.send('still here')
  expect(await next()).toBe('still here')
  expect(await refused(connectClient(target, '/'))).toBe(503)
  expect(takePrinted()).toEqual([expect.stringMatching(/^oneport: HANDSHAKE_NOT_ATTACHED: .*Call attach\(server\)\.$/)])
})

test('serves only WebSockets: an ordinary request gets 426 and a helpful sentence', async () => {
  const { target } = await serve(application)
  const response = await sendRaw(target, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  expect(response.status).toBe(426)
  expect(response.rest).toMatch(/^This URL is a WebSocket endpoint: connect with a WebSocket client, such as /)
  const head = await sendRaw(target, 'HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  expect(head.status).toBe(426)
  expect(head.rest).toBe('')
  const post = await sendRaw(target, 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  expect(post.status).toBe(405)
  expect(post.fields.get('allow')).toEqual(['GET'])
})

test('answers 503 if nothing is attached to the server, and logs once what to call', async () => {
  const server = http.createServer((req, res) => void acceptWebSocket(req, res, echo))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const target = { port: (server.address() as AddressInfo).port }
  expect(await refused(connectClient(target, '/'))).toBe(503)
  expect(takePrinted()).toHaveLength(1)
  server.closeAllConnections()
  await once(server.close(), 'close')
})

test('lists its open connections', async () => {
  const { target, attachment } = await serve(application)
  expect(attachment.connections.size).toBe(0)
  const { socket } = await connectClient(target, '/')
  const [connection] = attachment.connections
  const gone = once(connection as WebSocket, 'close')
  socket.close()
  await gone
  expect(attachment.connections.size).toBe(0)
})

describe('drain', () => {
  test('closes with the given code and reason, counts, and runs once', async () => {
    const { target, attachment } = await serve(application)
    const clients = await Promise.all([1, 2, 3].map(() => connectClient(target, '/')))
    const ends = Promise.all(clients.map(({ socket }) => closed(socket)))
    const draining = attachment.drain({ code: 1012, reason: 'restart' })
    const again = attachment.drain({ code: 4000 })
    expect(await draining).toEqual({ closed: 3, terminated: 0 })
    expect(await again).toEqual({ closed: 3, terminated: 0 })
    expect(await ends).toEqual([1, 2, 3].map(() => ({ code: 1012, reason: 'restart' })))
  })

  test('terminates at the deadline those that do not answer', async () => {
    const { target, attachment } = await serve(application)
    const raw = await open(target)
    raw.write(handshake('/'))
    await read(raw, headArrived)
    expect(await attachment.drain({ deadlineMs: 50 })).toEqual({ closed: 0, terminated: 1 })
  })

  test('spreads the closes and still reaches every connection', async () => {
    const { target, attachment } = await serve(application)
    const clients = await Promise.all([1, 2, 3, 4, 5].map(() => connectClient(target, '/')))
    const ends = Promise.all(clients.map(({ socket }) => closed(socket)))
    expect(await attachment.drain({ spreadMs: 60 })).toEqual({ closed: 5, terminated: 0 })
    expect(new Set((await ends).map(({ code }) => code))).toEqual(new Set([1001]))
  })

  test('refuses wrong options without draining', async () => {
    const { target, attachment } = await serve(application)
    await expect(attachment.drain({ code: 1006 })).rejects.toThrow(/code that may be sent; got 1006/)
    await expect(attachment.drain({ spreadMs: -1 })).rejects.toThrow(/^drain: spreadMs/)
    const { socket } = await connectClient(target, '/')
    socket.terminate()
  })

  test('answers new handshakes with 503 and Retry-After', async () => {
    const { target, attachment } = await serve(application)
    await attachment.drain()
    const response = await sendRaw(target, handshake('/'))
    expect(response.status).toBe(503)
    expect(response.fields.get('retry-after')).toEqual(['5'])
  })
})

test('regression: a server that listened again while it drained had its new connections cut with the old ones', async () => {
  const { target, server, attachment } = await serve(application)
  const stubborn = await open(target)
  stubborn.write(handshake('/'))
  await read(stubborn, headArrived)
  server.close()
  const drained = attachment.drain({ deadlineMs: 200 })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { socket, next } = await connectClient({ ...target, port: (server.address() as AddressInfo).port }, '/')
  expect(await drained).toEqual({ closed: 0, terminated: 1 })
  socket.send('alive')
  expect(await next()).toBe('alive')
})
