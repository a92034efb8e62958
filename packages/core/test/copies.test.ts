import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { connectClient, handshake, headArrived, refused, sendRaw, takePrinted } from '@oneport/test-kit'
import type * as Adapter from '../src/adapter.ts'
import type * as Index from '../src/index.ts'
import type { Presence } from '../src/registry.ts'
import { version } from '../src/version.ts'
import { start, stopAll } from './server.ts'

afterEach(stopAll)

type Core = typeof Index & typeof Adapter

/** Loads a copy of core, as a bundler makes one: with a copy of `ws` and with a state of its own. */
function load(): Core {
  let copy: Core | undefined
  jest.isolateModules(() => {
    copy = { ...require('../src/index.ts'), ...require('../src/adapter.ts') }
  })
  return copy as Core
}

const [one, two] = [load(), load()]

type Listener = (req: IncomingMessage, res: ServerResponse) => unknown

/** A server that the first copy has attached. */
async function serve(listener: Listener, options: Index.AttachOptions = {}) {
  const server = http.createServer((req, res) => void listener(req, res))
  const attachment = one.attach(server, options)
  return start(server, attachment)
}

const echo = (socket: Index.WebSocket): void => {
  socket.on('message', (data) => socket.send(String(data)))
}

test('are two', () => {
  expect(one.HandshakeError).not.toBe(two.HandshakeError)
})

describe('regression: a copy of core answered 503 to the handshakes of a server that another copy has attached; now it', () => {
  test('accepts them, with its own options', async () => {
    const { target, attachment } = await serve((req, res) =>
      two.acceptWebSocket(req, res, { subprotocols: ['chat'] }, echo)
    )
    const { socket, next } = await connectClient(target, '/', ['chat'])
    expect(socket.protocol).toBe('chat')
    socket.send('hello')
    expect(await next()).toBe('hello')
    expect(attachment.stats()).toMatchObject({ open: 1, accepted: 1 })
  })

  test('refuses by the same rules, and both copies know the error', async () => {
    const errors: unknown[] = []
    const refusals: unknown[] = []
    const { target } = await serve(
      async (req, res) => {
        try {
          two.checkHandshake(req)
        } catch (error) {
          errors.push(error)
        }
        await two.acceptWebSocket(req, res, echo)
      },
      { onRefused: ({ code }) => refusals.push(code) }
    )
    const { status, text } = await sendRaw(target, handshake('/', { Origin: 'https://other.example' }))
    expect(status).toBe(403)
    expect(text).toMatch(/\r\n\r\nOrigin "https:\/\/other\.example" is not allowed here\.\n$/)
    expect(errors[0]).toBeInstanceOf(two.HandshakeError)
    expect(errors[0]).toBeInstanceOf(one.HandshakeError)
    expect(refusals).toEqual(['HANDSHAKE_ORIGIN'])
  })

  test('lets a framework send the 101 later', async () => {
    const settled: Promise<boolean>[] = []
    const { target } = await serve((req, res) => {
      settled.push(two.agree(req, undefined, echo).settled())
      setImmediate(() => res.writeHead(101).end())
    })
    await connectClient(target, '/')
    expect(await Promise.all(settled)).toEqual([true])
  })

  test('tells faults to the one that has attached the server', async () => {
    const faults: unknown[] = []
    const { target } = await serve((req, res) => two.acceptWebSocket(req, res, { maxPayloadBytes: -1 }, echo), {
      onError: (error) => faults.push(String(error))
    })
    expect(await refused(connectClient(target, '/'))).toBe(500)
    expect(faults).toEqual([expect.stringMatching(/^TypeError: acceptWebSocket: maxPayloadBytes/)])
  })

  test('knows a handshake, and bounds how many of them wait', async () => {
    const known: boolean[] = []
    const { target } = await serve(
      (req, res) => {
        known.push(two.isWebSocketRequest(req))
        expect(() => two.limitPending(req, { address: '203.0.113.1' })).not.toThrow()
        return two.acceptWebSocket(req, res, echo)
      },
      { maxPendingHandshakes: 4 }
    )
    await connectClient(target, '/')
    expect(known).toEqual([true])
  })

  test('renews a credential', async () => {
    const sockets: Index.WebSocket[] = []
    const { target } = await serve((req, res) =>
      two.acceptWebSocket(req, res, { expiresAt: Date.now() + 60_000 }, (socket) => void sockets.push(socket))
    )
    const { socket, next } = await connectClient(target, '/')
    const [accepted] = sockets as [Index.WebSocket]
    expect(two.renew(accepted, Date.now() + 120_000)).toBe(true)
    expect(() => two.renew(accepted, 'soon' as never)).toThrow(TypeError)
    expect(() => two.renew(socket, Infinity)).toThrow('renew: expected a socket that was opened by acceptWebSocket()')
    accepted.send('still here')
    expect(await next()).toBe('still here')
  })

  test('knows that the server is attached', async () => {
    const { server, attachment } = await serve(() => {})
    expect(two.attachmentOf(server)).toBe(attachment)
    expect(() => two.attach(server)).toThrow('attach: this server is already attached')
  })

  test('may attach the server to another application, which gets what the first one answers 404', async () => {
    const never = (): void => {}
    const { server, target, attachment } = await serve(
      (req, res) => (req.url === '/never' ? never() : res.writeHead(404).end()),
      { handshakeTimeoutMs: 50, onRefused: never }
    )
    const second = two.attach(server, (req, res) => two.acceptWebSocket(req, res, echo), { handshakeTimeoutMs: 50 })
    const { socket, next } = await connectClient(target, '/')
    // Each copy took the other one for a foreign listener, and wrote its 404 into the connection at the deadline.
    expect(await refused(connectClient(target, '/never'))).toBe(503)
    socket.send('still here')
    expect(await next()).toBe('still here')
    expect([attachment.stats().open, second.stats().open]).toEqual([0, 1])
    socket.terminate()
    await second.drain()
    second.detach()
    attachment.detach()
    // The one that comes next has the server.
    const third = two.attach(server)
    expect(await refused(connectClient(target, '/'))).toBe(404)
    third.detach()
  })

  test('answers what neither of the two claims', async () => {
    const nobody = { claims: () => false, onRefused: () => {} }
    const listener: Listener = (_req, res) => res.writeHead(404).end('nobody here')
    const { server, target } = await serve(listener, nobody)
    const second = two.attach(server, (req, res) => listener(req, res), nobody)
    expect(await refused(connectClient(target, '/'))).toBe(404)
    second.detach()
  })
})

// The other copy is played: there is only one edition so far.
test('a copy that cannot work with the one that has attached the server names both versions', async () => {
  const server: Server = http.createServer((req, res) => void two.acceptWebSocket(req, res, echo))
  const attachment = one.attach(server)
  const { target } = await start(server, attachment)
  attachment.detach()
  const presences = (globalThis as { [key: symbol]: unknown })[Symbol.for('oneport.copies')] as Set<WeakRef<Presence>>
  const stranger: Presence = { version: '9.8.7', edition: 99, isAttached: (one) => one === server }
  const reference = new WeakRef(stranger)
  presences.add(reference)
  try {
    // Its handshakes arrive as ordinary requests: nobody listens for "upgrade" here.
    expect((await sendRaw(target, handshake('/'), headArrived)).status).toBe(503)
  } finally {
    presences.delete(reference)
  }
  expect(takePrinted()).toEqual([
    expect.stringContaining(
      `attached by @oneport/core 9.8.7, whose handshakes @oneport/core ${version} cannot accept. Have one version of both`
    )
  ])
})

test('regression: a copy that is not used any more was kept', async () => {
  const program = join(__dirname, 'process', 'reloads.cjs')
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', program])
  expect(stdout).toBe('collected\n')
})

test('the version of a copy is that of its package', () => {
  const manifest = JSON.parse(readFileSync(join(__dirname, '../package.json'), 'utf8')) as { version: string }
  expect(version).toBe(manifest.version)
})
