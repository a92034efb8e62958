import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { IncomingMessage } from 'node:http'
import { closed, connectClient, handshake, headArrived, refused, sendRaw } from '@oneport/test-kit'
import type { WebSocket } from 'ws'
import {
  type AttachOptions,
  acceptWebSocket,
  type ConnectionSummary,
  type Dispatch,
  HandshakeError
} from '../../src/index.ts'
import { open, read, serve, stopAll } from '../server.ts'

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
  test('counts open, accepted, refused and closed connections, and returns a snapshot', async () => {
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
      httpClients: 0,
      pending: 0,
      draining: false,
      accepted: 0,
      refused: {},
      closed: {},
      terminated: { heartbeat: 0, backpressure: 0, budget: 0, drain: 0 }
    })
  })

  test('counts what is waiting', async () => {
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

  test('counts terminated connections, by cause', async () => {
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
    expect(attachment.stats().terminated).toEqual({ heartbeat: 0, backpressure: 1, budget: 0, drain: 1 })
  })

  test('counts a handshake that timed out', async () => {
    const { target, attachment } = await serve(() => {}, { ...quiet, handshakeTimeoutMs: 20 })
    expect(await refused(connectClient(target, '/'))).toBe(503)
    expect(attachment.stats()).toMatchObject({ pending: 0, refused: { HANDSHAKE_TIMEOUT: 1 } })
  })
})

/** What is published on the channels `oneport:*` until the test ends. */
function keepMessages(names: string[]): { name: string; message: Record<string, unknown> }[] {
  const seen: { name: string; message: Record<string, unknown> }[] = []
  for (const name of names) {
    const listener = (message: unknown) => void seen.push({ name, message: message as Record<string, unknown> })
    subscribe(`oneport:${name}`, listener)
    unsubscribers.push(() => unsubscribe(`oneport:${name}`, listener))
  }
  return seen
}
const unsubscribers: (() => void)[] = []
afterEach(() => {
  for (const stop of unsubscribers.splice(0)) stop()
})

test('publishes handshakes and connections on the diagnostics channels', async () => {
  const seen = keepMessages(['handshake:accepted', 'handshake:refused', 'connection:closed', 'error'])
  const { target, attachment } = await serve(accept, quiet)
  const { socket } = await connectClient(target, '/chat?token=secret')
  await sendRaw(target, handshake('/', { Origin: 'null' }))
  const [connection] = attachment.connections
  const ended = gone(attachment.connections)
  socket.close(4001)
  await ended
  expect(seen.map(({ name }) => name)).toEqual(['handshake:accepted', 'handshake:refused', 'connection:closed'])
  const [accepted, refusal, end] = seen.map(({ message }) => message)
  const milliseconds = expect.any(Number)
  expect(accepted).toEqual({ socket: connection, request: expect.any(IncomingMessage), durationMs: milliseconds })
  expect(refusal).toEqual({
    error: expect.any(HandshakeError),
    code: 'HANDSHAKE_ORIGIN',
    request: expect.any(IncomingMessage),
    durationMs: milliseconds
  })
  expect(end).toEqual({
    socket: connection,
    code: 4001,
    initiator: 'client',
    durationMs: milliseconds,
    bytesIn: expect.any(Number),
    bytesOut: expect.any(Number),
    request: expect.objectContaining({ id: undefined, path: '/chat' })
  })
})

test('publishes faults on a channel of their own, besides onError', async () => {
  const seen = keepMessages(['error'])
  const faults: unknown[] = []
  const { target } = await serve((req, res) => acceptWebSocket(req, res, () => Promise.reject(new Error('broken'))), {
    ...quiet,
    onError: (error, context) => void faults.push({ error, ...context })
  })
  const { socket } = await connectClient(target, '/chat?token=secret')
  expect((await closed(socket)).code).toBe(1011)
  expect(faults).toEqual([
    {
      error: new Error('broken'),
      phase: 'handler',
      request: { id: undefined, path: '/chat', address: '127.0.0.1' },
      socket: expect.anything()
    }
  ])
  expect(seen.map(({ message }) => message)).toEqual(faults)
})

describe('onClosed', () => {
  const ends: [who: string, code: number, end: (client: WebSocket, server: WebSocket) => void][] = [
    ['client', 1000, (client) => client.close(1000)],
    ['server', 4002, (_client, server) => server.close(4002)],
    ['server', 1006, (_client, server) => server.terminate()],
    ['server', 1006, (client) => Reflect.get(client, '_socket').write(Buffer.from([0x83, 0x00]))],
    ['network', 1006, (client) => client.terminate()]
  ]
  test.each(ends)('gets that the %s began to close, and code %i', async (initiator, code, end) => {
    const summaries: ConnectionSummary[] = []
    const { target, attachment } = await serve(accept, {
      ...quiet,
      onError: () => {},
      onClosed: (_socket, summary) => void summaries.push(summary)
    })
    const { socket } = await connectClient(target, '/')
    const [connection] = attachment.connections
    const ended = gone(attachment.connections)
    end(socket, connection as WebSocket)
    await ended
    await new Promise(setImmediate)
    expect(summaries).toEqual([expect.objectContaining({ initiator, code })])
  })

  test('gets the number of bytes in each direction', async () => {
    let tell: (summary: ConnectionSummary) => void = () => {}
    const told = new Promise<ConnectionSummary>((resolve) => {
      tell = resolve
    })
    const { target } = await serve(accept, { ...quiet, onClosed: (_socket, summary) => tell(summary) })
    const { socket, next } = await connectClient(target, '/')
    socket.send('x'.repeat(1_000))
    await next()
    socket.close()
    const { bytesIn, bytesOut } = await told
    // A thousand of the message, plus the handshake.
    expect(bytesIn).toBeGreaterThan(1_100)
    expect(bytesOut).toBeGreaterThan(1_100)
    expect(Math.max(bytesIn, bytesOut)).toBeLessThan(1_500)
  })

  test('that throws is a fault, and the connection still ends', async () => {
    const faults: string[] = []
    const { target, attachment } = await serve(accept, {
      ...quiet,
      onError: (error, { phase }) => void faults.push(`${phase}: ${error}`),
      onClosed: () => {
        throw new Error('broken log')
      }
    })
    const { socket } = await connectClient(target, '/')
    const ended = gone(attachment.connections)
    socket.close()
    await ended
    await new Promise(setImmediate)
    expect(faults).toEqual(['listener: Error: broken log'])
    expect(attachment.stats().open).toBe(0)
  })
})

test('the AsyncLocalStorage of the request applies in the handler, in every listener, and when a message has been sent', async () => {
  const storage = new AsyncLocalStorage<string>()
  const seen: {
    handler?: string | undefined
    ping?: string | undefined
    message?: string | undefined
    sent?: string | undefined
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
            socket.send('first', () => {
              seen.sent = storage.getStore()
            })
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
  expect(await next()).toBe('first')
  expect(await next()).toBe('hello')
  const end = once(socket, 'close')
  socket.close()
  await end
  const request = 'request /7'
  expect(seen).toEqual({ handler: request, ping: request, message: request, sent: request, close: request })
})
