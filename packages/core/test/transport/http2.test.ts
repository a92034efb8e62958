import { EventEmitter, once } from 'node:events'
import http2, { type ClientHttp2Session, type Http2Server, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import {
  beginConnect,
  bodyOf,
  certificate,
  closed,
  connectClient,
  type Http2Answer,
  openRaw,
  openSession,
  refused,
  resetSession,
  sendConnect,
  type Target,
  takePrinted,
  webSocketOn
} from '@oneport/test-kit'
import type { WebSocket } from 'ws'
import {
  type Attachment,
  type AttachOptions,
  acceptWebSocket,
  attach,
  type HandshakeRequest,
  type HandshakeResponse
} from '../../src/index.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

type Listener = (req: HandshakeRequest, res: HandshakeResponse) => unknown

interface Running {
  readonly target: Target
  readonly server: Http2Server
  readonly attachment: Attachment
}

async function serve(listener: Listener, options: AttachOptions = {}, tls = false): Promise<Running> {
  const server = (
    tls
      ? http2.createSecureServer({ ...(await certificate()), allowHTTP1: true }, listener as never)
      : http2.createServer(listener as never)
  ) as Http2Server
  const sessions = new Set<{ destroy(): void }>()
  server.on('session', (session) => sessions.add(session))
  const attachment = attach(server, listener, options)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  closers.push(async () => {
    const done = server.listening ? closeOf(server) : undefined
    for (const session of sessions) session.destroy()
    for (const socket of attachment.connections) socket.terminate()
    await done
    attachment.detach()
  })
  return { target: { port: (server.address() as AddressInfo).port, tls }, server, attachment }
}

async function sessionOf(target: Target): Promise<ClientHttp2Session> {
  const session = await openSession(target)
  closers.push(() => session.destroy())
  return session
}

/** `close()` of a secure server returns nothing. */
const closeOf = (server: Http2Server): Promise<void> => new Promise((resolve) => void server.close(() => resolve()))

const echo = (socket: WebSocket) => socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))

/** Echoes at /echo. /401 and /200 answer with a body; everything else is 404. */
const application: Listener = (req, res) => {
  if (req.url === '/echo') return acceptWebSocket(req, res, { subprotocols: ['chat.v2', 'chat.v1'] }, echo)
  const status = Number(/^\/(\d{3})$/.exec(req.url ?? '')?.[1] ?? 404)
  return (res as import('node:http').ServerResponse).writeHead(status, { 'x-from': 'application' }).end(`a ${status}`)
}

const message = async (socket: WebSocket): Promise<Buffer> => (await once(socket, 'message'))[0] as Buffer

describe.each([
  ['h2c', false],
  ['TLS', true]
])('over HTTP/2 on %s', (_name, tls) => {
  test('is announced to clients, accepted with 200, and echoes', async () => {
    const { target, attachment } = await serve(application, {}, tls)
    const session = await sessionOf(target)
    expect(session.remoteSettings.enableConnectProtocol).toBe(true)
    const answer = await sendConnect(session, '/echo', { 'sec-websocket-protocol': 'chat.v1, chat.v2' })
    expect(answer.status).toBe(200)
    expect(Object.keys(answer.headers)).toEqual([':status', 'sec-websocket-protocol', 'date'])
    expect(answer.headers['sec-websocket-protocol']).toBe('chat.v2')
    const socket = webSocketOn(answer.stream)
    socket.send('hello')
    expect(String(await message(socket))).toBe('hello')
    expect(attachment.stats()).toMatchObject({ open: 1, pending: 0, accepted: 1 })
  })

  test.each(['client', 'server'])('ends with 1000 at both ends and without a reset when the %s closes', async (who) => {
    const { target, attachment } = await serve(application, {}, tls)
    const answer = await sendConnect(await sessionOf(target), '/echo')
    const socket = webSocketOn(answer.stream)
    const [connection] = attachment.connections as Set<WebSocket>
    const ends = Promise.all([closed(socket), closed(connection as WebSocket), once(answer.stream, 'close')])
    ;(who === 'client' ? socket : (connection as WebSocket)).close(1000, 'bye')
    const [atClient, atServer] = await ends
    expect([atClient, atServer]).toEqual([1, 2].map(() => ({ code: 1000, reason: 'bye' })))
    expect(answer.stream.rstCode).toBe(0)
    expect(attachment.stats()).toMatchObject({ open: 0, pending: 0 })
  })
})

test('one endpoint serves both versions on one port', async () => {
  const { target, attachment } = await serve(application, {}, true)
  const first = await connectClient(target, '/echo')
  const second = webSocketOn((await sendConnect(await sessionOf(target), '/echo')).stream)
  first.socket.send('by HTTP/1.1')
  expect(await first.next()).toBe('by HTTP/1.1')
  second.send('by HTTP/2')
  expect(String(await message(second))).toBe('by HTTP/2')
  expect(attachment.connections.size).toBe(2)
  expect(await refused(connectClient(target, '/nowhere'))).toBe(404)
})

describe("the application's answer", () => {
  test.each([401, 404, 302, 500, 418])('with %i is sent completely', async (status) => {
    const { target, attachment } = await serve(application)
    const answer = await sendConnect(await sessionOf(target), `/${status}`)
    expect([answer.status, answer.headers['x-from'], await bodyOf(answer)]).toEqual([
      status,
      'application',
      `a ${status}`
    ])
    expect(answer.headers.connection).toBeUndefined()
    while (attachment.stats().pending > 0) await setImmediate()
  })

  // A 2xx to a CONNECT would mean that it was accepted.
  test.each([200, 204])('with %i, as for a page, becomes 405', async (status) => {
    const { target } = await serve(application)
    const answer = await sendConnect(await sessionOf(target), `/${status}`)
    expect([answer.status, answer.headers.allow]).toEqual([405, 'GET, HEAD'])
    expect(await bodyOf(answer)).toBe(`a ${status}`)
  })

  test('with 101 by hand is a fault, as over HTTP/1.1', async () => {
    const faults: unknown[] = []
    const { target } = await serve((_req, res) => void (res as import('node:http').ServerResponse).writeHead(101), {
      onError: (error) => void faults.push(String(error))
    })
    expect((await sendConnect(await sessionOf(target), '/')).status).toBe(500)
    expect(faults).toEqual([expect.stringMatching(/Status 101 was written by hand/)])
  })

  test('to an ordinary request at an endpoint is 405 with the allowed method', async () => {
    const { target } = await serve(application)
    const stream = (await sessionOf(target)).request({ ':path': '/echo' })
    const [headers] = await once(stream, 'response')
    expect([headers[':status'], headers.allow]).toEqual([405, 'CONNECT'])
    let text = ''
    for await (const chunk of stream) text += String(chunk)
    expect(text).toMatch(/^This URL is a WebSocket endpoint: connect with a WebSocket client, such as/)
    expect(text).not.toContain('Upgrade')
  })
})

describe('the rules are those of HTTP/1.1', () => {
  const refusals: [what: string, fields: Record<string, string | undefined>, status: number][] = [
    ['an origin of another site', { origin: 'http://evil.example' }, 403],
    ['two origins', { origin: 'http://app.example, http://app.example' }, 403],
    ['an older version', { 'sec-websocket-version': '8' }, 400],
    ['no version', { 'sec-websocket-version': undefined }, 400],
    ['malformed subprotocols', { 'sec-websocket-protocol': 'a b' }, 400],
    ['malformed extensions', { 'sec-websocket-extensions': 'a;;' }, 400]
  ]
  test.each(refusals)('for %s', async (_what, fields, status) => {
    const { target } = await serve(application, { onRefused: () => {} })
    const answer = await sendConnect(await sessionOf(target), '/echo', fields)
    expect(answer.status).toBe(status)
    expect(await bodyOf(answer)).not.toBe('')
  })

  test('the same origin is that of the authority, whatever Host says', async () => {
    const { target } = await serve(application)
    const session = await sessionOf(target)
    const own = await sendConnect(session, '/echo', { origin: 'http://app.example', host: 'other.example' })
    expect(own.status).toBe(200)
    const other = await sendConnect(session, '/echo', { origin: 'http://other.example', host: 'other.example' })
    expect(other.status).toBe(403)
    expect(takePrinted()).toEqual([expect.stringMatching(/HANDSHAKE_ORIGIN.* effective host "app\.example"/)])
  })

  test('permessage-deflate is agreed and used', async () => {
    const { target } = await serve(application, { perMessageDeflate: true })
    const offer = { 'sec-websocket-extensions': 'permessage-deflate; server_no_context_takeover' }
    const answer = await sendConnect(await sessionOf(target), '/echo', offer)
    expect(answer.headers['sec-websocket-extensions']).toMatch(/^permessage-deflate; server_no_context_takeover/)
  })
})

describe('CONNECT for something else', () => {
  test.each([
    ['an unknown protocol', 501, { ':protocol': 'connect-udp' }],
    ['no protocol, for a tunnel', 405, { ':protocol': undefined, ':scheme': undefined, ':path': undefined }]
  ])('with %s is %i', async (_what, status, fields) => {
    const { target } = await serve(application)
    const answer = await sendConnect(await sessionOf(target), '/echo', fields)
    expect(answer.status).toBe(status)
  })

  test('is left to another listener for CONNECT', async () => {
    const { target, server } = await serve(application)
    server.on('connect' as never, (req: HandshakeRequest, res: import('node:http').ServerResponse) => {
      if (req.headers[':protocol'] === 'connect-udp') res.writeHead(403).end('theirs')
    })
    const answer = await sendConnect(await sessionOf(target), '/', { ':protocol': 'connect-udp' })
    expect([answer.status, await bodyOf(answer)]).toEqual([403, 'theirs'])
  })
})

describe('messages', () => {
  test.each([300_000, 10_000_000])('of %i bytes pass the flow control in both directions', async (size) => {
    const { target } = await serve((req, res) => acceptWebSocket(req, res, { maxPayloadBytes: 16_000_000 }, echo))
    const socket = webSocketOn((await sendConnect(await sessionOf(target), '/')).stream)
    const sent = Buffer.alloc(size, 'x')
    socket.send(sent)
    expect((await message(socket)).equals(sent)).toBe(true)
  })

  test('on a hundred WebSockets of one session are not mixed up', async () => {
    const { target, attachment } = await serve(application)
    const session = await sessionOf(target)
    const sockets = await Promise.all(
      Array.from({ length: 100 }, async () => webSocketOn((await sendConnect(session, '/echo')).stream))
    )
    expect(attachment.connections.size).toBe(100)
    const answers = await Promise.all(
      sockets.map(async (socket, index) => {
        socket.send(String(index))
        return String(await message(socket))
      })
    )
    expect(answers).toEqual(sockets.map((_socket, index) => String(index)))
  })

  test('that arrive during async middleware and an async handler are kept, in order', async () => {
    const { target } = await serve(async (req, res) => {
      await setImmediate()
      await acceptWebSocket(req, res, async (socket) => {
        await setImmediate()
        const texts: string[] = []
        socket.on('message', (data) => {
          texts.push(String(data))
          if (texts.length === 3) socket.send(texts.join())
        })
      })
    })
    const session = await sessionOf(target)
    const frame = (text: string) => Buffer.from([0x81, 0x81, 0, 0, 0, 0, text.charCodeAt(0)])
    const stream = beginConnect(session, '/')
    closers.push(() => stream.destroy())
    stream.write(Buffer.concat(['1', '2', '3'].map(frame)))
    await once(stream, 'response')
    expect(String(await message(webSocketOn(stream)))).toBe('1,2,3')
  })

  test('that a client does not read are bounded: 1013, then cut', async () => {
    const { target, attachment } = await serve((req, res) =>
      acceptWebSocket(req, res, { maxBufferedBytes: 1_000_000, closeTimeoutMs: 50 }, (socket) =>
        socket.send(Buffer.alloc(8_000_000))
      )
    )
    const { stream } = await sendConnect(await sessionOf(target), '/')
    stream.pause()
    while (attachment.stats().closed[1006] === undefined) await setImmediate()
    expect(attachment.stats().terminated.backpressure).toBe(1)
  })
})

describe('the end of a connection', () => {
  const cuts: [what: string, cut: (answer: Http2Answer, session: ClientHttp2Session, running: Running) => unknown][] = [
    ['RST_STREAM', ({ stream }) => stream.close(http2.constants.NGHTTP2_CANCEL)],
    ['RST_STREAM with an error', ({ stream }) => stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR)],
    ['the end of the session', (_answer, session) => session.destroy()],
    ['GOAWAY with an error', (_answer, session) => session.goaway(http2.constants.NGHTTP2_PROTOCOL_ERROR)],
    ['a TCP reset', (_answer, session) => resetSession(session)],
    ['terminate()', (_answer, _session, { attachment }) => [...attachment.connections][0]?.terminate()]
  ]
  test.each(cuts)('by %s is seen at once, and the server continues', async (_what, cut) => {
    const running = await serve(application)
    const session = await sessionOf(running.target)
    const answer = await sendConnect(session, '/echo')
    const [connection] = running.attachment.connections as Set<WebSocket>
    const end = closed(connection as WebSocket)
    cut(answer, session, running)
    expect((await end).code).toBe(1006)
    expect(running.attachment.stats()).toMatchObject({ open: 0, pending: 0 })
    expect((await sendConnect(await sessionOf(running.target), '/echo')).status).toBe(200)
  })

  test('while the application still works on the handshake frees its place', async () => {
    const arrived = new EventEmitter()
    const { target, attachment } = await serve(
      async (req, res) => {
        arrived.emit('one')
        await once(arrived, 'go')
        await acceptWebSocket(req, res, echo)
      },
      { maxConnections: 1, onRefused: () => {} }
    )
    const session = await sessionOf(target)
    const arrival = once(arrived, 'one')
    const stream = beginConnect(session, '/')
    stream.on('error', () => {})
    await arrival
    stream.close(http2.constants.NGHTTP2_CANCEL)
    while (attachment.stats().pending > 0) await setImmediate()
    arrived.emit('go')
    const next = once(arrived, 'one')
    const accepted = sendConnect(session, '/')
    await next
    arrived.emit('go')
    expect((await accepted).status).toBe(200)
  })

  test('regression: a half-close before the 101 was a fault if writeHead was wrapped, as on-headers does', async () => {
    const arrived = new EventEmitter()
    const faults: unknown[] = []
    const { target, attachment } = await serve(
      async (req, res) => {
        const { writeHead } = res
        Object.assign(res, {
          writeHead(status: number) {
            res.statusCode = status
            return Reflect.apply(writeHead, res, [status])
          }
        })
        arrived.emit('one')
        await once(arrived, 'go')
        await acceptWebSocket(req, res, echo)
        arrived.emit('answered')
      },
      { onError: (error) => faults.push(error), onRefused: () => {} }
    )
    const session = await sessionOf(target)
    const arrival = once(arrived, 'one')
    const stream = beginConnect(session, '/')
    await arrival
    stream.end()
    await new Promise((resolve) => session.ping(resolve))
    const answered = once(arrived, 'answered')
    arrived.emit('go')
    await answered
    expect(faults).toEqual([])
    expect(attachment.stats().refused).toEqual({ HANDSHAKE_ABORTED: 1 })
  })

  test('regression: a client that reads nothing kept server.close() from finishing', async () => {
    const flood: Listener = (req, res) =>
      acceptWebSocket(req, res, (socket) => {
        for (let count = 0; count < 100; count++) socket.send(Buffer.alloc(100_000))
      })
    const { target, server, attachment } = await serve(flood)
    const raw = await openRaw(target)
    const session = http2.connect('http://localhost', { createConnection: () => raw })
    session.on('error', () => {})
    await once(session, 'remoteSettings')
    beginConnect(session, '/').on('error', () => {})
    while (attachment.connections.size === 0) await setImmediate()
    raw.pause()
    const done = closeOf(server)
    expect(await attachment.drain({ deadlineMs: 50 })).toEqual({ closed: 0, terminated: 1 })
    await done
    session.destroy()
  })

  test('regression: an answer by the application on the stream itself ended the process at the deadline', async () => {
    const { target, attachment } = await serve(
      (_req, res) => {
        const { stream } = res as HandshakeResponse & { stream: ServerHttp2Stream }
        stream.respond({ ':status': 403 })
        stream.write('not ')
      },
      { handshakeTimeoutMs: 50, onRefused: () => {} }
    )
    const session = await openSession(target)
    const stream = beginConnect(session, '/')
    expect((await once(stream, 'response'))[0][':status']).toBe(403)
    stream.resume()
    await once(stream, 'close')
    expect(attachment.stats()).toMatchObject({ pending: 0, refused: { HANDSHAKE_TIMEOUT: 1 } })
    session.destroy()
  })

  test('of a handshake that the application does not answer is 503 at the deadline; a late answer is not sent', async () => {
    let late: () => void = () => {}
    const { target, attachment } = await serve(
      (_req, res) => {
        late = () => void (res as import('node:http').ServerResponse).writeHead(200).end('late')
      },
      { handshakeTimeoutMs: 50, onRefused: () => {} }
    )
    const answer = await sendConnect(await sessionOf(target), '/')
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '5'])
    expect(await bodyOf(answer)).toBe('The server took too long to answer; try again.\n')
    late()
    while (attachment.stats().pending > 0) await setImmediate()
  })

  test('by drain is 1001, new handshakes get 503, and server.close() finishes', async () => {
    const { target, attachment, server } = await serve(application)
    const session = await sessionOf(target)
    const socket = webSocketOn((await sendConnect(session, '/echo')).stream)
    const end = closed(socket)
    const draining = attachment.drain()
    const done = closeOf(server)
    expect((await end).code).toBe(1001)
    expect(await draining).toEqual({ closed: 1, terminated: 0 })
    await done
  })

  test('by server.close() alone is 1001 too', async () => {
    const { target, server } = await serve(application)
    const socket = webSocketOn((await sendConnect(await sessionOf(target), '/echo')).stream)
    const end = closed(socket)
    const done = closeOf(server)
    expect((await end).code).toBe(1001)
    await done
  })

  test('by the heartbeat happens to a client that answers no ping', async () => {
    const { target, attachment } = await serve(application, { heartbeat: { intervalMs: 40, timeoutMs: 40 } })
    await sendConnect(await sessionOf(target), '/echo')
    while (attachment.stats().closed[1006] === undefined) await setImmediate()
    expect(attachment.stats().terminated.heartbeat).toBe(1)
  })
})

test('onClosed gets bytes, path and address', async () => {
  const summaries = new EventEmitter()
  const { target } = await serve(application, { onClosed: (_socket, summary) => summaries.emit('one', summary) })
  const socket = webSocketOn((await sendConnect(await sessionOf(target), '/echo')).stream)
  socket.send('x'.repeat(1_000))
  await message(socket)
  const told = once(summaries, 'one')
  socket.close(4000)
  const [summary] = await told
  expect(summary).toMatchObject({ code: 4000, initiator: 'client', request: { path: '/echo' } })
  expect(summary.bytesIn).toBeGreaterThan(1_000)
  expect(summary.bytesOut).toBeGreaterThan(1_000)
})

test('refuses a second attachment, which would answer the same stream', () => {
  const server = http2.createServer()
  const attachment = attach(server, application)
  const other: Listener = () => {}
  expect(() => attach(server, other)).toThrow(/^attach: a node:http2 server can be attached to one listener only,/)
  expect(server.listenerCount('connect')).toBe(1)
  attachment.detach()
  attach(server, other).detach()
})

/** Makes an attached server listen, and connects. */
async function sessionWith(server: Http2Server, attachment: Attachment): Promise<ClientHttp2Session> {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const session = await openSession({ port: (server.address() as AddressInfo).port, tls: false })
  closers.push(async () => {
    session.destroy()
    await closeOf(server)
    attachment.detach()
  })
  return session
}

// Regression: if it was never added, handshakes hung.
test.each(['never', 'later'])(
  'accepts handshakes on a server whose listener for requests is added %s',
  async (when) => {
    const server = http2.createServer()
    const attachment = attach(server, application)
    if (when === 'later') server.on('request', application as never)
    const session = await sessionWith(server, attachment)
    const { stream, status } = await sendConnect(session, '/echo')
    expect(status).toBe(200)
    const socket = webSocketOn(stream)
    socket.send('hello')
    expect(String(await message(socket))).toBe('hello')
    expect(attachment.stats().accepted).toBe(1)
  }
)

// One client ended the process: the stream was answered twice.
describe.each(['in front of', 'behind'])(
  'regression: on a server that answers streams by itself, %s attach()',
  (order) => {
    test.each([
      ['a CONNECT', { ':method': 'CONNECT', ':authority': 'app.example:80' }],
      [
        'a handshake',
        { ':method': 'CONNECT', ':protocol': 'websocket', ':scheme': 'http', ':path': '/', ':authority': 'app.example' }
      ],
      ['a GET', { ':path': '/' }]
    ])('%s is answered once', async (_what, headers) => {
      const server = http2.createServer()
      const answer = (stream: ServerHttp2Stream): void => {
        stream.respond({ ':status': 404 })
        stream.end()
      }
      if (order === 'in front of') server.on('stream', answer)
      const attachment = attach(server, application)
      if (order === 'behind') server.on('stream', answer)
      const session = await sessionWith(server, attachment)
      const stream = session.request(headers)
      const [{ ':status': status }] = await once(stream, 'response')
      expect(status).toBe(404)
      stream.close()
    })
  }
)

test('detach leaves the server as it was', async () => {
  const server = http2.createServer()
  const attachment = attach(server, application)
  expect(server.listenerCount('connect')).toBe(1)
  attachment.detach()
  expect([server.listenerCount('connect'), server.listenerCount('upgrade')]).toEqual([0, 0])
})

test('a paused socket holds back its own stream, and no other of the session', async () => {
  const paused: WebSocket[] = []
  const { target } = await serve((req, res) =>
    acceptWebSocket(req, res, (socket) => {
      socket.on('message', (data) => socket.send(String((data as Buffer).length)))
      if (req.url !== '/paused') return
      socket.pause()
      paused.push(socket)
    })
  )
  const session = await sessionOf(target)
  const slow = webSocketOn((await sendConnect(session, '/paused')).stream)
  slow.send(Buffer.alloc(500_000))
  const other = webSocketOn((await sendConnect(session, '/')).stream)
  other.send(Buffer.alloc(500_000))
  expect(String(await message(other))).toBe('500000')
  const answered = message(slow)
  paused[0]?.resume()
  expect(String(await answered)).toBe('500000')
})

test('maxConnectionsPerAddress counts each WebSocket of a session', async () => {
  const { target } = await serve(application, { maxConnectionsPerAddress: 2, onRefused: () => {} })
  const session = await sessionOf(target)
  const answers = await Promise.all([1, 2, 3].map(() => sendConnect(session, '/echo')))
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 429])
})

test('regression: Firefox does not end its side of the stream, and `close` was emitted only after closeTimeoutMs', async () => {
  const { target, attachment } = await serve(application, { closeTimeoutMs: 60_000 })
  const { stream } = await sendConnect(await sessionOf(target), '/echo')
  const [connection] = attachment.connections as Set<WebSocket>
  const closedAtServer = closed(connection as WebSocket)
  // A masked close frame with 1000. The client's side of the stream stays open.
  stream.write(Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]))
  expect((await closedAtServer).code).toBe(1000)
  expect(stream.rstCode).toBe(0)
})
