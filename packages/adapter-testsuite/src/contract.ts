import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { request as requestTls } from 'node:https'
import type { Socket } from 'node:net'
import type { AttachOptions, EndpointOptions, FaultContext, HandshakeError, WebSocket } from '@oneport/core'
import { type Certificate, certificate } from './certificate.ts'
import { handshake, headArrived, openRaw, reset, sendRaw } from './raw-client.ts'
import { accepted, closed, connectClient, refused } from './ws-client.ts'

/** One WebSocket endpoint of the application under test. */
export interface ContractRoute {
  readonly path: string
  readonly endpoint: EndpointOptions
  /**
   * Middleware or a hook in front of the endpoint. What it rejects with goes to the framework's error handling, which
   * answers with `error.status`.
   */
  before(req: IncomingMessage): Promise<void>
  /** The handler of the connection. */
  handler(socket: WebSocket): unknown
}

/** What an endpoint can wait for, and a test can open. */
interface Gate {
  readonly arrived: Promise<void>
  open(): void
  enter(): Promise<void>
}

/** The application that an adapter serves in the contract. */
export interface Contract {
  /** The endpoints; beside them the application answers `GET /plain` with 200 and the text `plain`. */
  readonly routes: readonly ContractRoute[]
  /** Passed to the adapter. */
  readonly options: Pick<AttachOptions, 'onError' | 'onRefused'>
  /** Key and certificate where the server speaks TLS. */
  readonly tls: Certificate | undefined
}

/** What middleware of the application sets on every response, before a route is looked for. */
export const fields: readonly (readonly [name: string, value: string | string[]])[] = [
  ['X-Request-Id', '42'],
  ['Set-Cookie', ['a=1; Path=/', 'b=2; HttpOnly']]
]

/** A listening application. */
export interface RunningAdapter {
  readonly port: number
  /** Refuses new handshakes and closes the open connections, as `Attachment.drain`. */
  drain(): Promise<unknown>
  /** Ends it as its users would: open connections get 1001. */
  close(): Promise<unknown>
}

interface Fault {
  readonly message: string
  readonly phase: FaultContext['phase']
}

/** The promise of every adapter: behaviour on the wire, the same for all of them. */
export function describeAdapter(name: string, start: (contract: Contract) => Promise<RunningAdapter>): void {
  describe.each([
    [name, false],
    [`${name} over TLS`, true]
  ])('%s', (_name, tls) => {
    let running: RunningAdapter
    let target: { port: number; tls: boolean }
    let faults: Fault[]
    let refusals: HandshakeError[]
    /** What the endpoint `/gate` waits for in its middleware. */
    let gate: Gate
    let raws: Socket[]
    let clients: WebSocket[]

    beforeEach(async () => {
      faults = []
      refusals = []
      raws = []
      clients = []
      gate = makeGate()
      running = await start({
        routes: endpoints(() => gate),
        options: {
          onError: (error, { phase }) => faults.push({ message: String((error as Error).message), phase }),
          onRefused: (error) => refusals.push(error)
        },
        tls: tls ? await certificate() : undefined
      })
      target = { port: running.port, tls }
    })

    afterEach(async () => {
      gate.open()
      for (const raw of raws) raw.destroy()
      for (const client of clients) client.terminate()
      await running.close()
    })

    const connect = async (...args: [path: string, subprotocols?: string[]]) => {
      const client = await connectClient(target, ...args)
      clients.push(client.socket)
      return client
    }
    const open = async () => {
      const raw = await openRaw(target)
      raws.push(raw)
      return raw
    }

    describe('accepts', () => {
      test('the handshake of RFC 6455 with its accept value and subprotocol', async () => {
        const response = await sendRaw(
          target,
          handshake('/chat', { 'Sec-WebSocket-Protocol': 'chat, superchat' }),
          headArrived
        )
        expect(response.status).toBe(101)
        expect(response.text).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/)
        expect(response.fields.get('upgrade')).toEqual(['websocket'])
        expect(response.fields.get('connection')).toEqual(['Upgrade'])
        expect(response.fields.get('sec-websocket-accept')).toEqual([accepted])
        expect(response.fields.get('sec-websocket-protocol')).toEqual(['chat'])
        expect(response.fields.has('content-length')).toBe(false)
        expect(response.fields.has('transfer-encoding')).toBe(false)
      })

      test.each([
        ['Connection as a list in any case', { Connection: 'keep-alive, UPGRADE' }],
        ['Connection twice', { Connection: ['keep-alive', 'upgrade'] }],
        ['Upgrade as a list in any case', { Upgrade: 'other, WebSocket' }],
        ['Upgrade twice', { Upgrade: ['other', 'websocket'] }],
        ['its own origin', { Origin: 'http://app.example' }],
        ['no Origin, as clients other than browsers', {}]
      ])('%s', async (label, sent) => {
        const own = label === 'its own origin' && tls ? { Origin: 'https://app.example' } : sent
        const response = await sendRaw(target, handshake('/chat', own), headArrived)
        expect(response.status).toBe(101)
        expect(response.fields.get('sec-websocket-accept')).toEqual([accepted])
      })

      test('messages in both directions', async () => {
        const { socket, next } = await connect('/chat')
        socket.send('hello')
        expect(await next()).toBe('hello')
      })

      test('the first subprotocol of the server that the client offers', async () => {
        const { socket } = await connect('/chat', ['other', 'chat.v1', 'chat'])
        expect(socket.protocol).toBe('chat')
      })

      test('without a subprotocol where there is none in common', async () => {
        const response = await sendRaw(
          target,
          handshake('/chat', { 'Sec-WebSocket-Protocol': 'toString' }),
          headArrived
        )
        expect(response.status).toBe(101)
        expect(response.fields.has('sec-websocket-protocol')).toBe(false)
      })

      test('with the fields that middleware set', async () => {
        const response = await sendRaw(target, handshake('/chat'), headArrived)
        expect(response.fields.get('x-request-id')).toEqual(['42'])
        expect(response.fields.get('set-cookie')).toEqual(['a=1; Path=/', 'b=2; HttpOnly'])
      })

      test('without compression by default, with it where the endpoint says so', async () => {
        const offer = { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' }
        const plain = await sendRaw(target, handshake('/chat', offer), headArrived)
        expect(plain.fields.has('sec-websocket-extensions')).toBe(false)
        const deflated = await sendRaw(target, handshake('/deflate', offer), headArrived)
        expect(deflated.fields.get('sec-websocket-extensions')).toEqual(['permessage-deflate'])
      })

      test('and keeps a frame that came with the handshake', async () => {
        const bytes = Buffer.concat([Buffer.from(handshake('/chat')), maskedText('early')])
        const response = await sendRaw(target, bytes, (text) => text.endsWith('early'))
        expect(response.rest).toBe(serverText('early'))
      })

      test('and keeps frames that come while middleware is waiting', async () => {
        const raw = await open()
        raw.write(Buffer.concat([Buffer.from(handshake('/gate')), maskedText('one')]))
        await gate.arrived
        raw.write(maskedText('two'))
        gate.open()
        const text = await readUntil(raw, (all) => all.endsWith('two'))
        expect(text.split('\r\n\r\n')[1]).toBe(serverText('one') + serverText('two'))
      })

      test('and keeps messages for a handler that listens late, in order', async () => {
        const { socket, next } = await connect('/listens-late')
        for (const text of ['one', 'two', 'three']) socket.send(text)
        await gate.arrived
        const pong = once(socket, 'pong')
        socket.ping()
        await pong
        gate.open()
        expect([await next(), await next(), await next()]).toEqual(['one', 'two', 'three'])
        socket.send('four')
        expect(await next()).toBe('four')
      })

      test('and keeps large messages for a handler that listens late', async () => {
        const { socket, next } = await connect('/listens-late')
        const texts = [...'abcdef'].map((letter) => letter.repeat(60_000))
        for (const text of texts) socket.send(text)
        await gate.arrived
        gate.open()
        for (const text of texts) expect(await next()).toBe(text)
      })

      test('and answers pings and closes in order with a handler that only sends and is not done', async () => {
        const { socket, next } = await connect('/pushes')
        expect(await next()).toBe('pushed')
        socket.send('nobody listens')
        const pong = once(socket, 'pong')
        socket.ping()
        await pong
        const end = closed(socket)
        socket.close(4001)
        expect((await end).code).toBe(4001)
      })

      test('and reads on behind a handler that only sent, whatever comes', async () => {
        const { socket, next } = await connect('/pushes')
        expect(await next()).toBe('pushed')
        const sendMuch = () => {
          for (let count = 0; count < 6; count++) socket.send('x'.repeat(60_000))
        }
        sendMuch()
        gate.open()
        sendMuch()
        const pong = once(socket, 'pong')
        socket.ping()
        await pong
        const end = closed(socket)
        socket.close(4001)
        expect((await end).code).toBe(4001)
      })

      test('after a request with a body on the same connection', async () => {
        const raw = await open()
        raw.write('POST /plain HTTP/1.1\r\nHost: app.example\r\nContent-Length: 5\r\n\r\nhello')
        await readUntil(raw, responseEnded)
        raw.write(handshake('/chat'))
        expect(await readUntil(raw, headArrived)).toMatch(/^HTTP\/1\.1 101 /)
      })

      test('pipelined behind a request that is still being answered', async () => {
        const raw = await open()
        raw.write(`GET /plain HTTP/1.1\r\nHost: app.example\r\n\r\n${handshake('/chat')}`)
        const text = await readUntil(raw, (all) => all.includes(accepted))
        expect(text).toMatch(/^HTTP\/1\.1 200 .*plain.*HTTP\/1\.1 101 /s)
      })
    })

    describe('refuses', () => {
      const refusalsByField: [string, Record<string, string | string[] | undefined>, number, string][] = [
        ['version 12', { 'Sec-WebSocket-Version': '12' }, 426, 'HANDSHAKE_VERSION'],
        ['version 013', { 'Sec-WebSocket-Version': '013' }, 426, 'HANDSHAKE_VERSION'],
        ['version 13.0', { 'Sec-WebSocket-Version': '13.0' }, 426, 'HANDSHAKE_VERSION'],
        ['version 8, which ws would take', { 'Sec-WebSocket-Version': '8' }, 426, 'HANDSHAKE_VERSION'],
        ['two versions', { 'Sec-WebSocket-Version': ['13', '13'] }, 426, 'HANDSHAKE_VERSION'],
        [
          'the handshake of the draft with two keys',
          {
            'Sec-WebSocket-Version': undefined,
            'Sec-WebSocket-Key': undefined,
            'Sec-WebSocket-Key1': '18x 6]8vM;54 *(5:  {   U1]8  z [  8',
            'Sec-WebSocket-Key2': '1_ tx7X d  <  nw  334J702) 7]o}` 0'
          },
          426,
          'HANDSHAKE_VERSION'
        ],
        ['a missing key', { 'Sec-WebSocket-Key': undefined }, 400, 'HANDSHAKE_KEY'],
        ['a short key', { 'Sec-WebSocket-Key': 'c2hvcnQ=' }, 400, 'HANDSHAKE_KEY'],
        ['two keys', { 'Sec-WebSocket-Key': [...'ab'].map(() => 'x3JJHMbDL1EzLkh9GBhXDw==') }, 400, 'HANDSHAKE_KEY'],
        ['a foreign origin', { Origin: 'https://evil.example' }, 403, 'HANDSHAKE_ORIGIN'],
        ['the origin null', { Origin: 'null' }, 403, 'HANDSHAKE_ORIGIN'],
        ['two origins', { Origin: ['http://app.example', 'http://app.example'] }, 403, 'HANDSHAKE_ORIGIN'],
        ['malformed subprotocols', { 'Sec-WebSocket-Protocol': 'chat, super chat' }, 400, 'HANDSHAKE_SUBPROTOCOL'],
        ['malformed extensions', { 'Sec-WebSocket-Extensions': 'x; y=;' }, 400, 'HANDSHAKE_EXTENSION']
      ]

      test.each(refusalsByField)(
        '%s with a whole response, then ends the connection',
        async (_what, sent, status, code) => {
          const response = await sendRaw(target, handshake('/chat', sent))
          expect(response.status).toBe(status)
          expect(response.fields.get('connection')).toEqual([status === 426 ? 'close, Upgrade' : 'close'])
          expect(Buffer.byteLength(response.rest, 'latin1')).toBe(Number(response.fields.get('content-length')))
          expect(response.fields.get('x-request-id')).toEqual(['42'])
          expect(refusals.map((error) => error.code)).toEqual([code])
          if (status === 426) {
            expect(response.fields.get('upgrade')).toEqual(['websocket'])
            expect(response.fields.get('sec-websocket-version')).toEqual(['13'])
          }
        }
      )

      test('a handshake without Host, and one with two', async () => {
        for (const Host of [undefined, ['app.example', 'app.example']]) {
          const response = await sendRaw(target, handshake('/chat', { Host }))
          expect(response.status).toBe(400)
        }
        expect(refusals.map((error) => error.code)).toEqual(['HANDSHAKE_HOST', 'HANDSHAKE_HOST'])
      })

      test('a handshake without a common subprotocol where one is required', async () => {
        expect(await refused(connect('/strict', ['other']))).toBe(400)
        expect((await connect('/strict', ['chat'])).socket.protocol).toBe('chat')
      })

      test('what middleware refuses, with the answer of the framework, before any 101', async () => {
        const response = await sendRaw(target, handshake('/guarded'))
        expect(response.status).toBe(401)
        expect(response.text).toContain('Log in first')
        expect(response.fields.get('connection')).toEqual(['close'])
      })

      test('a handshake in front of which the application throws', async () => {
        expect(await refused(connect('/throws'))).toBe(500)
      })
    })

    describe('answers as the ordinary request that it is', () => {
      test('a GET at an endpoint with 426, and keeps the connection', async () => {
        const response = await sendRaw(
          target,
          'GET /chat HTTP/1.1\r\nHost: app.example\r\n\r\nGET /plain HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n\r\n'
        )
        expect(response.status).toBe(426)
        expect(response.fields.get('upgrade')).toEqual(['websocket'])
        expect(response.fields.get('connection')).toEqual(['Upgrade'])
        expect(response.rest).toMatch(/WebSocket endpoint.*HTTP\/1\.1 200 .*plain/s)
      })

      test('a handshake at an ordinary route, and one at an unknown path', async () => {
        const plain = await sendRaw(target, handshake('/plain'))
        expect(plain.status).toBe(200)
        expect(plain.rest).toContain('plain')
        expect(plain.fields.get('connection')).toEqual(['close'])
        expect((await sendRaw(target, handshake('/unknown'))).status).toBe(404)
      })

      const last = 'GET /plain HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n\r\n'

      test.each([
        ['GET with Upgrade: h2c', upgrade('GET', 'h2c', '/plain', 'HTTP2-Settings: AAMAAABkAAQAAP__\r\n')],
        ['GET with Upgrade: TLS/1.0', upgrade('GET', 'TLS/1.0', '/plain')],
        ['POST with Upgrade: h2c and a body', `${upgrade('POST', 'h2c', '/plain', 'Content-Length: 5\r\n')}hello`],
        [
          'POST with Upgrade: foo/1 and a chunked body',
          `${upgrade('POST', 'foo/1', '/plain', 'Transfer-Encoding: chunked\r\n')}5\r\nhello\r\n0\r\n\r\n`
        ],
        ['POST with Upgrade: websocket', `${upgrade('POST', 'websocket', '/plain', 'Content-Length: 5\r\n')}hello`]
      ])('%s, and keeps the connection', async (_what, bytes) => {
        const raw = await open()
        raw.write(bytes)
        expect(await readUntil(raw, responseEnded)).toMatch(/^HTTP\/1\.1 200 .*plain/s)
        raw.write(last)
        expect(await readUntil(raw, responseEnded)).toMatch(/^HTTP\/1\.1 200 .*plain/s)
      })

      test('a GET with Upgrade: h2c and the request that is pipelined behind it', async () => {
        const response = await sendRaw(target, upgrade('GET', 'h2c', '/plain') + last)
        expect(response.rest).toMatch(/plain.*HTTP\/1\.1 200 .*plain/s)
      })

      test('a request for another protocol whose body comes later', async () => {
        const raw = await open()
        raw.write(upgrade('POST', 'h2c', '/plain', 'Content-Length: 10\r\n'))
        raw.write('hello')
        await new Promise(setImmediate)
        raw.write('world')
        expect(await readUntil(raw, responseEnded)).toMatch(/^HTTP\/1\.1 200 .*plain/s)
        raw.write(last)
        expect(await readUntil(raw, responseEnded)).toMatch(/^HTTP\/1\.1 200 .*plain/s)
      })

      test('a handshake over HTTP/1.0, with 405 at an endpoint', async () => {
        const old = (path: string) => handshake(path).replace('HTTP/1.1', 'HTTP/1.0')
        const response = await sendRaw(target, old('/chat'))
        expect(response.status).toBe(405)
        expect(response.fields.get('allow')).toEqual(['GET'])
        expect((await sendRaw(target, old('/plain'))).status).toBe(200)
      })

      test('a handshake with a body: the bytes after it are not frames', async () => {
        const bytes = handshake('/chat', { 'Content-Length': '5' })
        const raw = await open()
        raw.write(`${bytes}hello`)
        expect(await readUntil(raw, (text) => text.includes('WebSocket endpoint'))).toMatch(/^HTTP\/1\.1 426 /)
        raw.write(last)
        expect(await readUntil(raw, () => false)).toMatch(/HTTP\/1\.1 200 .*plain/s)
      })
    })

    describe('contains', () => {
      test.each([
        ['a handler that throws', '/handler-throws', 'handler'],
        ['a handler that rejects', '/handler-rejects', 'handler'],
        ['a listener that throws', '/listener-throws', 'listener'],
        ['a listener that rejects', '/listener-rejects', 'listener']
      ])('%s: one report, close code 1011, other connections live on', async (_what, path, phase) => {
        const other = await connect('/chat')
        const { socket } = await connect(path)
        const end = closed(socket)
        socket.send('go')
        expect((await end).code).toBe(1011)
        expect(faults).toEqual([{ message: 'broken', phase }])
        other.socket.send('still here')
        expect(await other.next()).toBe('still here')
      })

      test.each([
        ['a frame without a mask', Buffer.from([0x81, 0x01, 0x61]), 1002],
        ['text that is not UTF-8', Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0xff]), 1007],
        ['a message that is too large', Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 0x10, 0, 1, 0, 0, 0, 0]), 1009]
      ])('%s: one report and its close code', async (_what, bytes, code) => {
        const raw = await open()
        raw.write(Buffer.concat([Buffer.from(handshake('/chat')), bytes]))
        const text = await readUntil(raw, () => false)
        expect(Buffer.from(text.slice(-2), 'latin1').readUInt16BE()).toBe(code)
        expect(faults.map(({ phase }) => phase)).toEqual(['protocol'])
      })

      test('a client that does not read what it is sent: closed with 1013', async () => {
        const raw = await open()
        raw.write(handshake('/small'))
        const text = await readUntil(raw, (all) => all.length > 16_000_000 && all.endsWith('too much unread'))
        expect(Buffer.from(text.slice(-17, -15), 'latin1').readUInt16BE()).toBe(1013)
      })

      const ways: [string, (raw: Socket) => unknown][] = [
        ['a reset', reset],
        ['a FIN', (raw) => raw.destroy()],
        ['a half-close', (raw) => Object.assign(raw.resume(), { allowHalfOpen: true }).end()]
      ]
      const places: [string, bytes: string, isWaiting: boolean][] = [
        ['while middleware is waiting', handshake('/gate'), true],
        ['while the handler is at work', handshake('/listens-late'), true],
        ['during a refusal', handshake('/chat', { Origin: 'https://evil.example' }), false],
        ['in a handshake that no endpoint takes', handshake('/unknown'), false],
        ['in a request for another protocol', `${upgrade('POST', 'h2c', '/plain', 'Content-Length: 9\r\n')}half`, false]
      ]

      describe.each(ways)('%s', (_way, end) => {
        test.each(places)('%s: other connections live on, and nothing is left', async (_place, bytes, isWaiting) => {
          const other = await connect('/chat')
          const raw = await open()
          raw.write(bytes)
          if (isWaiting) await gate.arrived
          await end(raw)
          expect((await sendRaw(target, handshake('/chat'), headArrived)).status).toBe(101)
          gate.open()
          other.socket.send('still here')
          expect(await other.next()).toBe('still here')
          expect(faults).toEqual([])
          await running.close()
        })
      })
    })

    test('ends the connections with 1001 when it is closed, and finishes', async () => {
      const { socket } = await connect('/chat')
      const end = closed(socket)
      await running.close()
      expect((await end).code).toBe(1001)
    })

    test('refuses a handshake that is still waiting when draining begins', async () => {
      const raw = await open()
      raw.write(handshake('/gate'))
      await gate.arrived
      await running.drain()
      gate.open()
      expect(await readUntil(raw, () => false)).toMatch(/^HTTP\/1\.1 503 .*\r\nRetry-After: \d+\r\n/is)
      expect(refusals.map((error) => error.code)).toEqual(['HANDSHAKE_UNAVAILABLE'])
    })

    test('serves HTTP as before beside it', async () => {
      const agent = new Agent({ keepAlive: true })
      const sent = (tls ? requestTls : request)({
        port: target.port,
        path: '/plain',
        rejectUnauthorized: false,
        ...(tls ? {} : { agent })
      })
      const [response] = (await once(sent.end(), 'response')) as [IncomingMessage]
      expect(response.statusCode).toBe(200)
      expect(response.headers['x-request-id']).toBe('42')
      response.resume()
      await once(response, 'end')
      agent.destroy()
    })
  })
}

function endpoints(gate: () => Gate): ContractRoute[] {
  const echo = (socket: WebSocket) => socket.on('message', (data) => socket.send(String(data)))
  const go = async () => {}
  const broken = () => new Error('broken')
  const route = (path: string, handler: ContractRoute['handler'] = echo, more: Partial<ContractRoute> = {}) => ({
    path,
    handler,
    endpoint: {},
    before: go,
    ...more
  })
  return [
    route('/chat', echo, { endpoint: { subprotocols: ['chat', 'chat.v1'] } }),
    route('/strict', echo, { endpoint: { subprotocols: ['chat'], requireSubprotocol: true } }),
    route('/deflate', echo, { endpoint: { perMessageDeflate: true } }),
    route('/gate', echo, { before: () => gate().enter() }),
    route('/listens-late', async (socket) => {
      await gate().enter()
      echo(socket)
    }),
    route('/pushes', async (socket) => {
      socket.send('pushed')
      await gate().enter()
    }),
    route('/small', (socket) => void socket.send(Buffer.alloc(16_000_000)), {
      endpoint: { maxBufferedBytes: 1_000_000 }
    }),
    route('/guarded', echo, {
      before: () => Promise.reject(Object.assign(new Error('Log in first'), { status: 401, statusCode: 401 }))
    }),
    route('/throws', echo, { before: () => Promise.reject(broken()) }),
    route('/handler-throws', () => {
      throw broken()
    }),
    route('/handler-rejects', () => Promise.reject(broken())),
    route('/listener-throws', (socket) =>
      socket.on('message', () => {
        throw broken()
      })
    ),
    route('/listener-rejects', (socket) => socket.on('message', () => Promise.reject(broken())))
  ]
}

function makeGate() {
  let open = () => {}
  let arrive = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve
  })
  return {
    arrived,
    open,
    enter: () => {
      arrive()
      return opened
    }
  }
}

/** The head of a request for another protocol. */
const upgrade = (method: string, protocol: string, path: string, more = ''): string =>
  `${method} ${path} HTTP/1.1\r\nHost: app.example\r\nUpgrade: ${protocol}\r\nConnection: Upgrade\r\n${more}\r\n`

/** A text frame from a client, masked with zeros (RFC 6455 §5.3). */
function maskedText(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)])
}

/** A short text frame from a server, in latin1. */
const serverText = (text: string): string => `\x81${String.fromCharCode(text.length)}${text}`

/** Reads until `enough` says so of all that has come, or the server ends the connection. */
function readUntil(raw: Socket, enough: (text: string) => boolean): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    const take = (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (enough(text)) done()
    }
    const done = () => {
      raw.off('data', take).off('end', done).off('close', done)
      resolve(text)
    }
    raw.on('data', take).once('end', done).once('close', done)
  })
}

/** Whether a response with a short body in one piece or one chunk has come in whole. */
const responseEnded = (text: string): boolean =>
  /\r\n\r\n.*plain/s.test(text) && !/chunked(?!.*\r\n0\r\n\r\n$)/is.test(text)
