import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { handshake, headArrived } from '@oneport/test-kit'
import type { WebSocket } from 'ws'
import { type AcceptOptions, type AttachOptions, acceptWebSocket } from '../../src/index.ts'
import { open, read, serve, stopAll } from '../server.ts'

afterEach(stopAll)

const storage = new AsyncLocalStorage<string>()
const seen: string[] = []
/** Records a call, and in whose context it ran. */
const note = (what: string, path: string | undefined) => void seen.push(`${what} ${path}: ${storage.getStore()}`)

const paths = new WeakMap<WebSocket, string>()
/** Subscribers are called where a connection is ended, in the timer's own context. */
const noteEnd = (told: unknown) => note('terminated', paths.get((told as { socket: WebSocket }).socket))

beforeEach(() => {
  seen.splice(0)
  subscribe('oneport:connection:terminated', noteEnd)
})
afterEach(() => void unsubscribe('oneport:connection:terminated', noteEnd))

/**
 * A server on which each request runs in a context named after its path. The first client, `/first`, starts every timer
 * that clients share.
 */
async function serveIn(options: AttachOptions, accept: (path: string) => AcceptOptions = () => ({})) {
  return serve(
    (req, res) =>
      storage.run(req.url as string, () => {
        const path = req.url as string
        res.on('close', () => note('res', path))
        if (path.startsWith('/silent')) return undefined
        return acceptWebSocket(req, res, accept(path), (socket) => {
          paths.set(socket, path)
          for (const event of ['close', 'error', 'pong']) socket.on(event, () => note(event, path))
          socket.on('message', () => {
            note('message', path)
            throw new Error('broken')
          })
          return path.startsWith('/early') ? new Promise(() => {}) : undefined
        })
      }),
    {
      onClosed: (_socket, { request }) => note('onClosed', request.path),
      onRefused: (_error, { url }: IncomingMessage) => note('onRefused', url),
      onError: (_error, { request }) => note('onError', request.path),
      closeTimeoutMs: 20,
      ...options
    }
  )
}

async function visit(target: Parameters<typeof open>[0], path: string) {
  const raw = await open(target)
  raw.write(handshake(path))
  if (!path.startsWith('/silent')) await read(raw, headArrived)
  raw.resume().on('end', () => raw.end())
  return raw
}

/** Expects that each call ran in the context of its own request, or in none. */
function expectOwn(...expected: string[]): void {
  const foreign = seen.filter((one) => {
    const [, path, store] = /^\S+ (\S+): (\S+)$/.exec(one) ?? []
    return store !== path && store !== 'undefined'
  })
  expect(foreign).toEqual([])
  for (const one of expected) expect(seen.map((line) => line.replace(/: .*/, ''))).toContain(one)
}

describe('regression: what a shared timer called ran in the AsyncLocalStorage of another client; now', () => {
  const both = ['/first', '/second']

  test('the heartbeat ends each connection in its own, or in none', async () => {
    const { target } = await serveIn({ heartbeat: { intervalMs: 20, timeoutMs: 20 } })
    const closes: Promise<unknown>[] = []
    for (const path of both) closes.push(once(await visit(target, path), 'close'))
    await Promise.all(closes)
    while (seen.filter((one) => one.startsWith('onClosed')).length < 2) await new Promise(setImmediate)
    expectOwn('close /first', 'close /second', 'onClosed /first', 'onClosed /second', 'terminated /second')
  })

  test('the deadline of a handshake refuses each in its own, or in none', async () => {
    const { target } = await serveIn({ handshakeTimeoutMs: 30 })
    const ends: Promise<unknown>[] = []
    for (const path of ['/silent-first', '/silent-second']) ends.push(once(await visit(target, path), 'close'))
    await Promise.all(ends)
    expectOwn('onRefused /silent-first', 'onRefused /silent-second', 'res /silent-first', 'res /silent-second')
  })

  test('an expiry closes each connection in its own, or in none', async () => {
    const { target } = await serveIn({}, () => ({ key: 'a', expiresAt: Date.now() + 50 }))
    const ends: Promise<unknown>[] = []
    for (const path of both) ends.push(once(await visit(target, path), 'close'))
    await Promise.all(ends)
    while (seen.filter((one) => one.startsWith('onClosed')).length < 2) await new Promise(setImmediate)
    expectOwn('close /first', 'close /second', 'onClosed /first', 'onClosed /second')
  })

  test('a server that closes ends each connection in its own, or in none', async () => {
    const { target, server } = await serveIn({})
    for (const path of both) await visit(target, path)
    // Detected by the timer that the first client has started.
    await once(server.close(), 'close')
    while (seen.filter((one) => one.startsWith('onClosed')).length < 2) await new Promise(setImmediate)
    expectOwn('close /first', 'close /second', 'onClosed /first', 'onClosed /second')
  })

  test('each fault is reported in its own, or in none', async () => {
    const { target } = await serveIn({})
    const raws = [await visit(target, '/first'), await visit(target, '/second')]
    const ends = raws.map((raw) => once(raw, 'close'))
    for (const raw of raws) raw.write(Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x61]))
    await Promise.all(ends)
    while (seen.filter((one) => one.startsWith('onClosed')).length < 2) await new Promise(setImmediate)
    expectOwn('message /first', 'message /second', 'onError /first', 'onError /second', 'onClosed /second')
  })

  test('a handshake that a rule refuses is reported in its own, or in none', async () => {
    const { target } = await serveIn({}, () => ({ requireOrigin: true }))
    for (const path of both) await visit(target, path)
    expectOwn('onRefused /first', 'onRefused /second')
  })
})
