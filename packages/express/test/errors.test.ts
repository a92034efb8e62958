import { once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { certificate, handshake, headArrived, openRaw, sendRaw, signal, takePrinted } from '@oneport/test-kit'
import type { ErrorRequestHandler, Express } from 'express'
import { acceptWebSocket, checkHandshake, HandshakeError, wsUpgrade } from '../src/index.ts'
import { echo, useServers } from './servers.ts'
import { versions } from './versions.ts'

const { serve, connect, open } = useServers()

const foreign = { Origin: 'https://evil.example' }
const oldVersion = { 'Sec-WebSocket-Version': '8' }

describe.each(versions)('A refused handshake in %s', (_name, express) => {
  function makeApp(): Express {
    const app = express()
    app.use(wsUpgrade({ onRefused: () => {} }))
    app.get('/chat', (req, res) => acceptWebSocket(req, res, echo))
    return app
  }

  test.each<[string, string, object, number, string, object]>([
    ['the route', '/chat', foreign, 403, 'HANDSHAKE_ORIGIN', {}],
    [
      'the route',
      '/chat',
      oldVersion,
      426,
      'HANDSHAKE_VERSION',
      { Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Version': '13' }
    ],
    ['a route that does not await the promise', '/forgets', foreign, 403, 'HANDSHAKE_ORIGIN', {}],
    ['a route that waits for something first', '/waits', foreign, 403, 'HANDSHAKE_ORIGIN', {}],
    ['an async route', '/async', foreign, 403, 'HANDSHAKE_ORIGIN', {}],
    ['a wsUpgrade() with a handler', '/one-line', foreign, 403, 'HANDSHAKE_ORIGIN', {}],
    ['a router', '/router/chat', foreign, 403, 'HANDSHAKE_ORIGIN', {}]
  ])(
    'goes from %s to the error middleware as a HandshakeError, once (%s %j)',
    async (_what, path, sent, status, code, headers) => {
      const seen: unknown[] = []
      const app = makeApp()
      app.get('/forgets', (req, res) => {
        void acceptWebSocket(req, res, echo)
      })
      app.get('/waits', (req, res) => {
        setImmediate(() => void acceptWebSocket(req, res, echo))
      })
      app.get('/async', async (req, res) => {
        await new Promise(setImmediate)
        await acceptWebSocket(req, res, echo)
      })
      app.use('/one-line', wsUpgrade({}, echo))
      const router = express.Router()
      router.get('/chat', (req, res) => acceptWebSocket(req, res, echo))
      app.use('/router', router)
      const errorPage: ErrorRequestHandler = (error: HandshakeError, _req, res, _next) => {
        seen.push(error)
        res.status(error.status).set(error.headers).json({ code: error.code, message: error.message })
      }
      app.use(errorPage)

      const response = await sendRaw(await serve(app), handshake(path, sent as Record<string, string>))
      expect(response.status).toBe(status)
      expect(JSON.parse(response.rest)).toEqual({ code, message: expect.any(String) })
      expect(seen).toEqual([expect.any(HandshakeError)])
      expect(seen).toEqual([expect.objectContaining({ code, status, statusCode: status, headers, expose: true })])
      for (const [name, value] of Object.entries(headers)) {
        if (name !== 'Connection') expect(response.fields.get(name.toLowerCase())).toEqual([value])
      }
    }
  )

  test('can be answered by error middleware with another status, a redirect, or HTML', async () => {
    const app = makeApp()
    const errorPage: ErrorRequestHandler = (error: HandshakeError, _req, res, _next) => {
      if (error.code === 'HANDSHAKE_ORIGIN') res.redirect(303, '/why')
      else res.status(418).type('html').send('<h1>No</h1>')
    }
    app.use(errorPage)
    const target = await serve(app)
    const redirected = await sendRaw(target, handshake('/chat', foreign))
    expect(redirected.status).toBe(303)
    expect(redirected.fields.get('location')).toEqual(['/why'])
    const page = await sendRaw(target, handshake('/chat', oldVersion))
    expect(page.status).toBe(418)
    expect(page.rest).toBe('<h1>No</h1>')
  })

  test('is answered after error middleware has waited', async () => {
    const app = makeApp()
    const errorPage: ErrorRequestHandler = (error: HandshakeError, _req, res, _next) => {
      setImmediate(() => void res.status(error.status).send(error.code))
    }
    app.use(errorPage)
    expect((await sendRaw(await serve(app), handshake('/chat', foreign))).rest).toBe('HANDSHAKE_ORIGIN')
  })

  describe.each(['development', 'production', 'test'])('without error middleware, with NODE_ENV=%s', (environment) => {
    const before = process.env.NODE_ENV

    function start(): ReturnType<typeof serve> {
      process.env.NODE_ENV = environment
      try {
        return serve(makeApp())
      } finally {
        process.env.NODE_ENV = before
      }
    }

    test('is answered by Express with status and header fields', async () => {
      const response = await sendRaw(await start(), handshake('/chat', oldVersion))
      expect(response.status).toBe(426)
      expect(response.text).toMatch(/^HTTP\/1\.1 426 Upgrade Required\r\n/)
      expect(response.fields.get('upgrade')).toEqual(['websocket'])
      expect(response.fields.get('connection')).toEqual(['close, Upgrade'])
      expect(response.fields.get('sec-websocket-version')).toEqual(['13'])
      expect(response.fields.get('content-type')).toEqual(['text/html; charset=utf-8'])
      expect(Buffer.byteLength(response.rest, 'latin1')).toBe(Number(response.fields.get('content-length')))
      if (environment === 'production') expect(response.rest).toContain('<pre>Upgrade Required</pre>')
      else expect(response.rest).toContain('Expected Sec-WebSocket-Version 13')
      expect(takePrinted().join()).toMatch(
        environment === 'test' ? /^$/ : /HandshakeError: Expected Sec-WebSocket-Version 13/
      )
    })

    test('tells a plain GET what the URL is for, with the field Upgrade', async () => {
      const bytes = 'GET /chat HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n'
      const response = await sendRaw(await start(), bytes)
      expect(response.status).toBe(426)
      expect(response.fields.get('upgrade')).toEqual(['websocket'])
      if (environment !== 'production') expect(response.rest).toContain('This URL is a WebSocket endpoint')
      takePrinted()
    })

    test('security: never contains unescaped input of the client in HTML', async () => {
      const response = await sendRaw(await start(), handshake('/chat', { 'Sec-WebSocket-Version': '<script>x' }))
      expect(response.status).toBe(426)
      expect(response.rest).not.toContain('<script>')
      takePrinted()
    })
  })

  test('reports wrong options of a route as a 500, not as a rejection', async () => {
    const app = makeApp()
    const seen: unknown[] = []
    app.get('/wrong', (req, res) => {
      void acceptWebSocket(req, res, { allowedOrigins: ['app.example'] }, echo)
    })
    app.get('/missing', (req, res) => {
      void acceptWebSocket(req, res, undefined as never)
    })
    const errorPage: ErrorRequestHandler = (error, _req, _res, next) => {
      seen.push(error)
      next(error)
    }
    app.use(errorPage)
    const target = await serve(app)
    expect((await sendRaw(target, handshake('/wrong'))).status).toBe(500)
    expect((await sendRaw(target, handshake('/missing'))).status).toBe(500)
    expect(seen).toEqual([expect.any(TypeError), expect.any(TypeError)])
  })

  test('resolves the promise of the route without rejecting it', async () => {
    const app = express()
    app.use(wsUpgrade({ onRefused: () => {} }))
    const settled: unknown[] = []
    app.get('/chat', (req, res) => {
      settled.push(acceptWebSocket(req, res, echo))
    })
    const target = await serve(app)
    await sendRaw(target, handshake('/chat', foreign))
    await connect(target, '/chat')
    await sendRaw(target, 'GET /chat HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n')
    expect(await Promise.all(settled)).toEqual([undefined, undefined, undefined])
  })

  test('is reported to onRefused once, with the request, and then not to stderr', async () => {
    const refusals: [string, string | undefined][] = []
    const app = express()
    app.use(wsUpgrade({ onRefused: ({ code }, req) => refusals.push([code, req.url]) }))
    app.get('/chat', (req, res) => acceptWebSocket(req, res, echo))
    await sendRaw(await serve(app), handshake('/chat', foreign))
    expect(refusals).toEqual([['HANDSHAKE_ORIGIN', '/chat']])
  })

  test('is logged to stderr with origin, effective host and rule, if its origin is foreign', async () => {
    const app = express()
    app.use(wsUpgrade())
    app.get('/chat', (req, res) => acceptWebSocket(req, res, { allowedOrigins: ['https://app.example'] }, echo))
    await sendRaw(await serve(app), handshake('/chat', foreign))
    expect(takePrinted()).toEqual([
      expect.stringMatching(
        /^oneport: HANDSHAKE_ORIGIN: origin "https:\/\/evil\.example", effective host "app\.example", scheme unknown, allowed: 'https:\/\/app\.example'\n {4}A page of another site/
      )
    ])
  })
})

describe.each(versions)('A proxy in front of %s', (_name, express) => {
  test.each([
    ['that is not trusted: what to write', false, "If it is yours: app.set('trust proxy', '127.0.0.1')"],
    ['that is trusted', '127.0.0.1', undefined]
  ])('%s', async (_what, trust, hint) => {
    const app = express()
    app.set('trust proxy', trust)
    app.use(wsUpgrade())
    app.get('/chat', (req, res) => acceptWebSocket(req, res, echo))
    const fields = { Origin: 'https://public.example', 'X-Forwarded-Host': 'public.example' }
    await sendRaw(await serve(app), handshake('/chat', fields), headArrived)
    expect(takePrinted()).toEqual(hint === undefined ? [] : [expect.stringContaining(hint)])
  })
})

describe.each(versions)('checkHandshake as early middleware in %s', (_name, express) => {
  /** An application that counts how often its costly middleware runs. */
  async function start() {
    const asked: unknown[] = []
    const refusals: string[] = []
    const app = express()
    app.use(wsUpgrade({ onRefused: ({ code }) => refusals.push(code), subprotocols: ['chat'] }))
    app.use('/chat', (req, _res, next) => {
      asked.push(checkHandshake(req, { requireSubprotocol: true }).subprotocol)
      next()
    })
    app.get('/chat', (req, res) => acceptWebSocket(req, res, { requireSubprotocol: true }, echo))
    return { target: await serve(app), asked, refusals }
  }

  test.each<[string, Record<string, string | undefined>, number, string | undefined]>([
    ['a foreign origin', foreign, 403, 'HANDSHAKE_ORIGIN'],
    ['another version', oldVersion, 426, 'HANDSHAKE_VERSION'],
    ['no common subprotocol', { 'Sec-WebSocket-Protocol': 'other' }, 400, 'HANDSHAKE_SUBPROTOCOL'],
    // Not a handshake, so not reported to onRefused.
    ['no upgrade', { Upgrade: undefined, Connection: 'close' }, 426, undefined]
  ])('refuses %s before anything else runs', async (_what, fields, status, code) => {
    const { target, asked, refusals } = await start()
    const response = await sendRaw(target, handshake('/chat', fields))
    expect(response.status).toBe(status)
    expect(asked).toEqual([])
    expect(refusals).toEqual(code === undefined ? [] : [code])
  })

  test('passes on the others, with the subprotocol for the 101', async () => {
    const { target, asked, refusals } = await start()
    const { socket } = await connect(target, '/chat', ['other', 'chat'])
    expect(socket.protocol).toBe('chat')
    expect(asked).toEqual(['chat'])
    expect(refusals).toEqual([])
  })
})

describe.each(versions)('A large refusal of %s', (_name, express) => {
  const body = Buffer.alloc(2 * 1024 * 1024)
  for (let index = 0; index < body.length; index++) body[index] = (index * 7 + (index >> 8)) % 251

  function* pieces() {
    for (let start = 0; start < body.length; start += 50_000) yield body.subarray(start, start + 50_000)
  }

  function makeApp(): Express {
    const app = express()
    app.use(wsUpgrade())
    app.get('/send', (_req, res) => void res.status(401).type('bin').send(body))
    app.get('/pipe', (_req, res) => {
      res.status(401).set('Content-Length', String(body.length))
      Readable.from(pieces()).pipe(res)
    })
    app.get('/chunked', (_req, res) => {
      res.status(401)
      Readable.from(pieces()).pipe(res)
    })
    return app
  }

  const start = async (tls: boolean, app: Express) =>
    serve(tls ? https.createServer(await certificate(), app) : http.createServer(app))

  describe.each([
    ['TCP', false],
    ['TLS', true]
  ])('over %s', (_transport, tls) => {
    test.each(['/send', '/pipe', '/chunked'])('arrives complete at a slow reader, from %s', async (path) => {
      const raw = await openRaw(await start(tls, makeApp()))
      try {
        raw.write(handshake(path))
        const chunks: Buffer[] = []
        for await (const chunk of raw) {
          chunks.push(chunk as Buffer)
          await new Promise(setImmediate)
        }
        const { head, content } = split(Buffer.concat(chunks))
        expect(head).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n/)
        expect(head).toMatch(/\r\nConnection: close\r\n/i)
        const whole = path === '/chunked' ? dechunk(content) : content
        expect(whole.length).toBe(body.length)
        expect(whole.equals(body)).toBe(true)
      } finally {
        raw.destroy()
      }
    })

    test('arrives complete at a reader that pauses until the server has closed the connection', async () => {
      const finished = signal()
      const letGo = signal()
      const target = await start(
        tls,
        makeApp().get('/late', (_req, res) => {
          res.once('finish', () => finished.give())
          res.status(401).type('bin').send(body)
        })
      )
      target.server.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => socket.on('close', letGo.give))
      const raw = await open(target)
      raw.write(handshake('/late'))
      const chunks: Buffer[] = []
      let isFinished = false
      void finished.given.then(() => {
        isFinished = true
      })
      while (!isFinished) {
        const chunk: Buffer | null = raw.read()
        if (chunk === null) await Promise.race([once(raw, 'readable'), finished.given])
        else chunks.push(chunk)
      }
      await letGo.given
      for await (const chunk of raw) chunks.push(chunk as Buffer)
      expect(split(Buffer.concat(chunks)).content.equals(body)).toBe(true)
    })

    test('arrives complete at a client that keeps sending', async () => {
      const raw = await open(await start(tls, makeApp()))
      raw.write(handshake('/send'))
      const chunks: Buffer[] = []
      raw.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        if (raw.writable) raw.write('frames that nobody will read')
      })
      await once(raw, 'end')
      const { content } = split(Buffer.concat(chunks))
      expect(content.equals(body)).toBe(true)
    })
  })

  test('does not delay an acceptance on another connection', async () => {
    const app = makeApp()
    app.get('/chat', (req, res) => acceptWebSocket(req, res, echo))
    const target = await serve(app)
    const raw = await open(target)
    raw.pause()
    raw.write(handshake('/send'))
    expect((await sendRaw(target, handshake('/chat'), headArrived)).status).toBe(101)
  })
})

function split(bytes: Buffer): { head: string; content: Buffer } {
  const end = bytes.indexOf('\r\n\r\n')
  return { head: bytes.subarray(0, end + 2).toString('latin1'), content: bytes.subarray(end + 4) }
}

/** RFC 9112 §7.1. Throws if the last chunk is missing. */
function dechunk(bytes: Buffer): Buffer {
  const chunks: Buffer[] = []
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    const size = Number.parseInt(bytes.subarray(at, lineEnd).toString('latin1'), 16)
    if (Number.isNaN(size)) throw new Error('The last chunk is missing.')
    if (size === 0) return Buffer.concat(chunks)
    chunks.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = lineEnd + 2 + size + 2
  }
}
