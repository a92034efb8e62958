import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { closed, connectClient, handshake, headArrived, refused, sendRaw } from '@oneport/adapter-testsuite'
import type { WebSocket } from 'ws'
import { type AttachOptions, acceptWebSocket, type Dispatch } from '../src/index.ts'
import { open, read, serve, stopAll } from './server.ts'

afterEach(stopAll)

const quiet: AttachOptions = { onRefused: () => {}, heartbeat: false }
const accept: Dispatch = (req, res) =>
  acceptWebSocket(req, res, { maxBufferedBytes: 1_000_000 }, (socket) => {
    if (req.url === '/flood') socket.send(Buffer.alloc(16_000_000))
    socket.on('message', (data) => socket.send(String(data)))
  })

/** Waits until the server has seen a connection end. */
const gone = (connections: ReadonlySet<WebSocket>) =>
  Promise.all([...connections].map((connection) => new Promise((resolve) => connection.once('close', resolve))))

describe('stats()', () => {
  test('counts what is open, what was accepted, refused and closed, and keeps what it gave', async () => {
    const { target, attachment } = await serve(accept, quiet)
    const before = attachment.stats()
    const clients = await Promise.all([1, 2, 3].map(() => connectClient(target, '/')))
    await sendRaw(target, handshake('/', { Origin: 'null' }))
    await sendRaw(target, handshake('/', { Origin: 'null' }))
    await sendRaw(target, handshake('/', { 'Sec-WebSocket-Version': '8' }))
    expect(attachment.stats()).toMatchObject({
      open: 3,
      accepted: 3,
      refused: { HANDSHAKE_ORIGIN: 2, HANDSHAKE_VERSION: 1 },
      closed: {}
    })
    const ended = gone(attachment.connections)
    clients[0]?.socket.close(4001)
    clients[1]?.socket.close(1000)
    clients[2]?.socket.terminate()
    await ended
    expect(attachment.stats()).toMatchObject({ open: 0, accepted: 3, closed: { 1000: 1, 1006: 1, 4001: 1 } })
    expect(before).toEqual({
      open: 0,
      pending: 0,
      draining: false,
      accepted: 0,
      refused: {},
      closed: {},
      terminated: { heartbeat: 0, backpressure: 0, drain: 0 }
    })
  })

  test('counts what waits', async () => {
    let arrive = (): void => {}
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve
    })
    const { target, attachment } = await serve(() => arrive(), { ...quiet, handshakeTimeoutMs: 100 })
    const raw = await open(target)
    raw.write(handshake('/'))
    await arrived
    expect(attachment.stats().pending).toBe(1)
  })

  test('counts what was cut off, by its cause', async () => {
    const dead = await serve(accept, { ...quiet, heartbeat: { intervalMs: 20, timeoutMs: 20 } })
    const silent = await open(dead.target)
    silent.write(handshake('/'))
    await read(silent, headArrived)
    await gone(dead.attachment.connections)
    expect(dead.attachment.stats()).toMatchObject({ terminated: { heartbeat: 1 }, closed: { 1006: 1 } })

    const { target, attachment } = await serve(accept, quiet)
    const slow = await connectClient(target, '/flood')
    expect((await closed(slow.socket)).code).toBe(1013)
    const stubborn = await open(target)
    stubborn.write(handshake('/'))
    await read(stubborn, headArrived)
    await attachment.drain({ deadlineMs: 20 })
    expect(attachment.stats().terminated).toEqual({ heartbeat: 0, backpressure: 1, drain: 1 })
  })

  test('counts a handshake that timed out', async () => {
    const { target, attachment } = await serve(() => {}, { ...quiet, handshakeTimeoutMs: 20 })
    expect(await refused(connectClient(target, '/'))).toBe(503)
    expect(attachment.stats()).toMatchObject({ pending: 0, refused: { HANDSHAKE_TIMEOUT: 1 } })
  })
})

test('tells of handshakes and connections on the diagnostics channels', async () => {
  const names = ['handshake:accepted', 'handshake:refused', 'connection:closed']
  const seen: [name: string, fields: string[]][] = []
  const listeners = names.map((name) => {
    const listener = (message: unknown) => void seen.push([name, Object.keys(message as object)])
    subscribe(`oneport:${name}`, listener)
    return () => unsubscribe(`oneport:${name}`, listener)
  })
  const { target, attachment } = await serve(accept, quiet)
  const { socket } = await connectClient(target, '/')
  await sendRaw(target, handshake('/', { Origin: 'null' }))
  const ended = gone(attachment.connections)
  socket.close()
  await ended
  for (const stop of listeners) stop()
  expect(seen).toEqual([
    ['handshake:accepted', ['socket']],
    ['handshake:refused', ['error', 'request']],
    ['connection:closed', ['socket', 'code']]
  ])
})

test('the AsyncLocalStorage of the request is seen in the handler and in every listener', async () => {
  const storage = new AsyncLocalStorage<string>()
  const seen: {
    handler?: string | undefined
    ping?: string | undefined
    message?: string | undefined
    close?: string | undefined
  } = {}
  const { target } = await serve(
    (req, res) =>
      storage.run(`request ${req.url}`, async () => {
        await new Promise(setImmediate)
        await acceptWebSocket(req, res, (socket) => {
          seen.handler = storage.getStore()
          socket.on('ping', () => {
            seen.ping = storage.getStore()
          })
          socket.on('message', (data) => {
            setImmediate(() => {
              seen.message = storage.getStore()
              socket.send(String(data))
            })
          })
          socket.on('close', () => {
            seen.close = storage.getStore()
          })
        })
      }),
    quiet
  )
  const { socket, next } = await connectClient(target, '/7')
  socket.ping()
  socket.send('hello')
  await next()
  const end = once(socket, 'close')
  socket.close()
  await end
  expect(seen).toEqual({ handler: 'request /7', ping: 'request /7', message: 'request /7', close: 'request /7' })
})
