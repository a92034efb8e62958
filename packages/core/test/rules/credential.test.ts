import { once } from 'node:events'
import { closed, connectClient, handshake, headArrived, type Inbox, sendRaw, type Target } from '@oneport/test-kit'
import type { WebSocket } from 'ws'
import {
  type AcceptOptions,
  type Attachment,
  type AttachOptions,
  acceptWebSocket,
  type Dispatch,
  renew
} from '../../src/index.ts'
import { open, read, serve, stopAll } from '../server.ts'

afterEach(stopAll)

const quiet: AttachOptions = { onRefused: () => {}, heartbeat: false }

/** Serves an echo. The application looks up the credential of each connection by its path. */
async function serveWith(
  credentialOf: (path: string) => AcceptOptions,
  options: AttachOptions = {}
): Promise<{ target: Target; attachment: Attachment; received: string[] }> {
  const received: string[] = []
  const listener: Dispatch = (req, res) =>
    acceptWebSocket(req, res, credentialOf(req.url as string), (socket) => {
      socket.on('message', (data) => {
        received.push(String(data))
        socket.send(String(data))
      })
    })
  return { ...(await serve(listener, { ...quiet, ...options })), received }
}

describe('expiresAt', () => {
  test.each([
    ['a Date', (ms: number) => new Date(ms)],
    ['milliseconds since 1970', (ms: number) => ms]
  ])('as %s closes the connection with 4401 at that time, and not before', async (_what, form) => {
    const expiresAt = Date.now() + 300
    const { target } = await serveWith(() => ({ expiresAt: form(expiresAt) }))
    const { socket } = await connectClient(target, '/')
    expect(await closed(socket)).toEqual({ code: 4401, reason: 'credential expired' })
    expect(Date.now()).toBeGreaterThanOrEqual(expiresAt)
  })

  test("closes with the endpoint's own code", async () => {
    const { target } = await serveWith(() => ({ expiresAt: Date.now() + 50, expiryCode: 4000 }))
    expect((await closed((await connectClient(target, '/')).socket)).code).toBe(4000)
  })

  test('does not affect the other options of the endpoint', async () => {
    const { target } = await serveWith(() => ({ expiresAt: Date.now() + 60_000, subprotocols: ['chat'] }))
    const { socket, response } = await connectClient(target, '/', ['chat'])
    expect(response.headers['sec-websocket-protocol']).toBe('chat')
    socket.terminate()
  })

  test('in the past refuses the handshake with 403', async () => {
    const { target, attachment } = await serveWith(() => ({ expiresAt: Date.now() - 1 }), { maxConnections: 1 })
    const response = await sendRaw(target, handshake('/'))
    expect([response.status, response.rest]).toEqual([403, 'The credential of this handshake has expired.\n'])
    expect(attachment.stats().refused).toEqual({ HANDSHAKE_EXPIRED: 1 })
  })

  test.each([
    [{ expiresAt: 1_800_000_000 }, /; multiply seconds by 1000$/],
    [{ expiresAt: new Date('nonsense') }, /expected a Date or milliseconds since 1970; got an invalid Date/],
    [{ expiresAt: Number.NaN }, /expected a Date or milliseconds since 1970; got NaN$/],
    [{ expiresAt: '2030' as never }, /got '2030'$/],
    [{ expiryCode: 1000 }, /^acceptWebSocket: expiryCode: expected a close code from 3000 to 4999; got 1000$/],
    [null as never, /^acceptWebSocket: options: expected an object; got null$/],
    ['key' as never, /^acceptWebSocket: options: expected an object; got 'key'$/],
    [{ toString: 1 } as never, /^acceptWebSocket: unknown option 'toString'; see https:.*\/options\.md$/],
    [{ key: '' }, /^acceptWebSocket: key: expected a non-empty string/],
    [{ key: 7 as never }, /^acceptWebSocket: key: expected a non-empty string, such as String\(user\.id\); got 7$/]
  ])('%j is a fault of the application that says what was expected', async (options, message) => {
    const faults: string[] = []
    const { target } = await serveWith(() => options, {
      onError: (error) => void faults.push((error as Error).message)
    })
    expect((await sendRaw(target, handshake('/'))).status).toBe(500)
    expect(faults).toEqual([expect.stringMatching(message)])
  })

  test('delivers no later message, though the client goes on and never answers the close', async () => {
    const { target, attachment, received } = await serveWith(() => ({ key: 'ada' }))
    const raw = await open(target)
    raw.write(handshake('/'))
    await read(raw, headArrived)
    const [socket] = attachment.connections as Set<WebSocket>
    const masked = (text: string) =>
      Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)])
    raw.write(masked('before'))
    await read(raw, (text) => text.includes('before'))
    attachment.revoke('ada')
    // The ping follows the message, so its pong shows that the message has been read.
    const pinged = once(socket as WebSocket, 'ping')
    raw.write(Buffer.concat([masked('after'), Buffer.from([0x89, 0x80, 0, 0, 0, 0])]))
    await pinged
    expect(received).toEqual(['before'])
  })
})

describe('renew', () => {
  const lasting = async (credential: AcceptOptions): Promise<{ client: Inbox; socket: WebSocket }> => {
    const { target, attachment } = await serveWith(() => credential)
    const client = await connectClient(target, '/')
    const [socket] = attachment.connections
    return { client, socket: socket as WebSocket }
  }

  test('extends a connection', async () => {
    const before = Date.now() + 100
    const { client, socket } = await lasting({ expiresAt: before })
    const after = before + 300
    expect(renew(socket, after)).toBe(true)
    expect((await closed(client.socket)).code).toBe(4401)
    expect(Date.now()).toBeGreaterThanOrEqual(after)
  })

  test('sets an expiry for a connection that had none, and removes it again', async () => {
    const { client, socket } = await lasting({})
    expect(renew(socket, Date.now() + 100)).toBe(true)
    expect(renew(socket, Infinity)).toBe(true)
    expect(renew(socket, new Date(Date.now() + 50))).toBe(true)
    expect((await closed(client.socket)).code).toBe(4401)
  })

  test('is too late for a connection that is closing', async () => {
    const { client, socket } = await lasting({ key: 'ada' })
    const ended = closed(client.socket)
    socket.close(4000)
    expect(renew(socket, Date.now() + 60_000)).toBe(false)
    expect((await ended).code).toBe(4000)
  })

  test('throws for invalid values', async () => {
    const { client, socket } = await lasting({})
    expect(() => renew(socket, 1_800_000_000)).toThrow(/multiply seconds by 1000/)
    expect(() => renew(client.socket, Date.now())).toThrow(
      /^renew: expected a socket that was opened by acceptWebSocket\(\)/
    )
    client.socket.terminate()
  })
})

describe('key', () => {
  const byPath = (path: string): AcceptOptions => (path === '/nobody' ? {} : { key: path.slice(1) })

  test('finds the connections of one user, as long as they are open', async () => {
    const { target, attachment } = await serveWith(byPath)
    const [first] = await Promise.all(['/ada', '/ada', '/bob', '/nobody'].map((path) => connectClient(target, path)))
    expect(attachment.connectionsOf('ada').size).toBe(2)
    expect(attachment.connectionsOf('bob').size).toBe(1)
    expect(attachment.connectionsOf('eve').size).toBe(0)
    expect(attachment.connections.size).toBe(4)
    const [ada] = attachment.connectionsOf('ada')
    const [socket] = attachment.connections
    const gone = once(socket as WebSocket, 'close')
    expect(socket).toBe(ada)
    first?.socket.close()
    await gone
    expect(attachment.connectionsOf('ada').size).toBe(1)
  })

  test('revoke closes exactly those, with 4401 or the given code, and counts them', async () => {
    const { target, attachment } = await serveWith(byPath)
    const clients = await Promise.all(['/ada', '/ada', '/bob', '/nobody'].map((path) => connectClient(target, path)))
    const ends = clients.slice(0, 2).map(({ socket }) => closed(socket))
    const gone = Promise.all([...attachment.connectionsOf('ada')].map((socket) => once(socket, 'close')))
    expect(attachment.revoke('ada')).toBe(2)
    expect(await Promise.all(ends)).toEqual([1, 2].map(() => ({ code: 4401, reason: 'credential revoked' })))
    expect(attachment.revoke('ada')).toBe(0)
    await gone
    expect(attachment.connections.size).toBe(2)
    const bob = closed(clients[2]?.socket as WebSocket)
    expect(attachment.revoke('bob', 4403, 'banned')).toBe(1)
    expect(await bob).toEqual({ code: 4403, reason: 'banned' })
    expect(attachment.connectionsOf('bob').size).toBe(0)
    for (const { socket } of clients) socket.terminate()
  })

  test('revoke refuses codes and reasons that no close frame may have', async () => {
    const { attachment } = await serveWith(byPath)
    expect(() => attachment.revoke('ada', 1000)).toThrow(
      /^revoke: code: expected a close code from 3000 to 4999; got 1000$/
    )
    expect(() => attachment.revoke('ada', 4000, 'x'.repeat(124))).toThrow(
      /^revoke: reason: expected a string of at most 123 bytes/
    )
  })
})

describe('bearerSubprotocol', () => {
  test('gives the application the token as Authorization, and answers only with the other subprotocol', async () => {
    const seen: unknown[] = []
    const listener: Dispatch = (req, res) => {
      seen.push(req.headers.authorization, req.headers['sec-websocket-protocol'])
      return acceptWebSocket(req, res, { subprotocols: (offered) => offered[0] }, () => {})
    }
    const { target } = await serve(listener, { ...quiet, bearerSubprotocol: 'bearer.' })
    const { socket, response } = await connectClient(target, '/', ['bearer.eyJhbGciOi.J9.c-_', 'chat.v2'])
    expect(seen).toEqual(['Bearer eyJhbGciOi.J9.c-_', 'chat.v2'])
    expect(response.headers['sec-websocket-protocol']).toBe('chat.v2')
    socket.terminate()
  })

  test('answers two tokens with 400, before the application', async () => {
    const dispatched: unknown[] = []
    const { target } = await serve((req) => void dispatched.push(req), { ...quiet, bearerSubprotocol: 'bearer.' })
    const response = await sendRaw(target, handshake('/', { 'Sec-WebSocket-Protocol': 'bearer.a, bearer.b' }))
    expect(response.status).toBe(400)
    expect(response.text).not.toContain('bearer.a')
    expect(dispatched).toEqual([])
  })

  test.each([[''], ['bearer '], [true], [7]])('refuses the option %j at start-up', async (value) => {
    await expect(serve(() => {}, { bearerSubprotocol: value as never })).rejects.toThrow(
      /^attach: bearerSubprotocol: expected the beginning of a subprotocol, such as 'bearer\.'; got/
    )
  })
})
