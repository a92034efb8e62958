import { connectClient, sendRaw, takePrinted } from '@oneport/test-kit'
import { acceptWebSocket, checkHandshake, type Dispatch } from '../src/index.ts'
import { serve, stopAll } from './server.ts'

afterEach(stopAll)

const application: Dispatch = (req, res) => acceptWebSocket(req, res, () => {})

const ask = (target: Parameters<typeof sendRaw>[0]) =>
  sendRaw(target, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')

describe('an ordinary request, with which a page asks why it cannot connect,', () => {
  test.each([
    ['maxConnections', 503],
    ['maxConnectionsPerAddress', 429]
  ])('gets the status of a handshake while %s is reached: %i', async (limit, status) => {
    const { target, attachment } = await serve(application, { [limit]: 1 })
    expect((await ask(target)).status).toBe(426)
    const { socket } = await connectClient(target, '/')
    const full = await ask(target)
    // What is wrong at any time comes first.
    const post = 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'
    expect((await sendRaw(target, post)).status).toBe(405)
    expect([full.status, full.fields.get('retry-after')]).toEqual([status, [expect.stringMatching(/^\d+$/)]])
    const [connection] = attachment.connections
    const gone = new Promise((resolve) => connection?.once('close', resolve))
    socket.close()
    await gone
    expect((await ask(target)).status).toBe(426)
  })

  test('regression: one that a test has made, without a socket, threw a TypeError', () => {
    const made = { method: 'GET', url: '/', headers: {}, rawHeaders: [], httpVersionMajor: 1, httpVersionMinor: 1 }
    expect(() => checkHandshake(made as never)).toThrow(
      expect.objectContaining({ code: 'HANDSHAKE_UPGRADE_REQUIRED', status: 426 })
    )
    const handshake = { ...made, headers: { upgrade: 'websocket', connection: 'Upgrade' } }
    expect(() => checkHandshake(handshake as never)).toThrow(
      expect.objectContaining({ code: 'HANDSHAKE_NOT_ATTACHED' })
    )
    expect(takePrinted()).toHaveLength(1)
  })

  test('gets 503 while the server drains', async () => {
    const { target, attachment } = await serve(application)
    await attachment.drain()
    const { status, rest } = await ask(target)
    expect([status, rest]).toEqual([503, expect.stringContaining('shutting down')])
  })
})
