import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { handshake, headArrived, sendRaw, signal } from '@oneport/test-kit'
import { echo, makeApp, open, start } from './harness.ts'

describe('the places for waiting handshakes:', () => {
  /** Serves an application with eight places, two per client. `hold` sends a handshake that waits there. */
  async function serve(trustProxy: string | false) {
    let arrived = signal()
    const app = await makeApp(
      { trustProxy },
      { handshakeTimeoutMs: Infinity, maxPendingHandshakes: 8, onRefused: () => {} }
    )
    const over = signal()
    const preHandler = async (): Promise<void> => {
      arrived.give()
      await over.given
    }
    app.get('/slow', { websocket: true, preHandler }, echo)
    app.get('/chat', { websocket: true }, echo)
    const target = await start(app)
    const ask = async (path: string, address: string): Promise<number> =>
      (await sendRaw(target, handshake(path, { 'X-Forwarded-For': address }), headArrived)).status
    const hold = async (address: string): Promise<void> => {
      arrived = signal()
      const raw = await open(target)
      raw.write(handshake('/slow', { 'X-Forwarded-For': address }))
      await arrived.given
    }
    return { ask, hold, server: app.server }
  }

  test('a client behind a trusted proxy uses up its own share, and another one gets in', async () => {
    const { ask, hold } = await serve('loopback')
    await hold('203.0.113.1')
    await hold('203.0.113.1')
    expect(await ask('/slow', '203.0.113.1')).toBe(429)
    expect(await ask('/chat', '203.0.113.2')).toBe(101)
    await hold('203.0.113.2')
    await hold('203.0.113.2')
    expect(await ask('/chat', '203.0.113.2')).toBe(429)
    expect(await ask('/chat', '203.0.113.3')).toBe(101)
  })

  test('clients behind an untrusted proxy have the share of one client', async () => {
    const { ask, hold } = await serve(false)
    await hold('203.0.113.1')
    await hold('203.0.113.2')
    expect(await ask('/chat', '203.0.113.3')).toBe(429)
  })

  test('regression: a client without a place could not reach another listener', async () => {
    const { ask, hold, server } = await serve(false)
    server.on('upgrade', takeLate)
    await hold('203.0.113.1')
    await hold('203.0.113.1')
    expect(await ask('/theirs', '203.0.113.1')).toBe(101)
  })
})

/** Another listener for `upgrade`, with a path of its own. */
const takeLate = (req: IncomingMessage, socket: Socket): void => {
  if (req.url === '/theirs')
    setImmediate(() => socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: theirs\r\n\r\n'))
}
