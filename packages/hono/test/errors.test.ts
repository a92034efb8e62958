import { takePrinted } from '@oneport/test-kit'
import { connect, expectRefused } from '@oneport/testing'
import { HTTPException } from 'hono/http-exception'
import { WebSocketServer } from 'ws'
import { acceptWebSocket, attach, checkHandshake, HandshakeError, webSocket } from '../src/index.ts'
import { serving } from './serving.ts'
import { versions } from './versions.ts'

describe.each(versions)('%s', (name, version) => {
  const { Hono, createAdaptorServer } = version
  const endpoint = webSocket({ subprotocols: ['v1'], requireSubprotocol: true }, () => {})
  const foreign = { origin: 'https://other.example' }

  test('by default, the client gets the status, the message and the header fields of a refusal, and nothing is printed', async () => {
    const app = new Hono()
    app.use(async (c, next) => {
      c.header('X-Before', 'set')
      await next()
      c.header('X-After', 'set')
    })
    app.get('/', endpoint)
    const { server } = serving(version, app)
    const missing = await expectRefused(server, '/')
    expect([missing.status, missing.body]).toEqual([400, "Offer one of this endpoint's subprotocols: v1.\n"])
    expect(missing.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'x-before': 'set',
      'x-after': 'set'
    })
  })

  test('a refusal with a detail for the operator is logged once', async () => {
    const app = new Hono()
    app.get('/', endpoint)
    expect((await expectRefused(serving(version, app).server, '/', foreign)).status).toBe(403)
    expect(takePrinted()).toEqual([
      expect.stringMatching(/^oneport: HANDSHAKE_ORIGIN: origin "https:\/\/other\.example"/)
    ])
  })

  test('app.onError gets a refusal as a HandshakeError, and answers it', async () => {
    const app = new Hono()
    app.onError((error, c) => {
      if (!(error instanceof HandshakeError)) return c.text('another error', 500)
      return c.json({ code: error.code, detail: error.detail?.slice(0, 6) }, error.status as 403, error.headers)
    })
    app.get('/', endpoint)
    const refused: HandshakeError[] = []
    const { server } = serving(version, app, { onRefused: (error) => void refused.push(error) })
    const { status, body } = await expectRefused(server, '/', foreign)
    expect([status, JSON.parse(body)]).toEqual([403, { code: 'HANDSHAKE_ORIGIN', detail: 'origin' }])
    expect(refused.map(({ code }) => code)).toEqual(['HANDSHAKE_ORIGIN'])
  })

  test('the onError of an application under app.route() answers the refusals of its routes', async () => {
    const inner = new Hono()
    inner.onError((error, c) => c.text(`inner: ${error.message}`, 400))
    inner.get('/', endpoint)
    const app = new Hono()
    app.onError((_error, c) => c.text('outer', 500))
    app.route('/api', inner)
    expect((await expectRefused(serving(version, app).server, '/api')).body).toMatch(/^inner: Offer one/)
  })

  test('an HTTPException is the answer to a handshake', async () => {
    const app = new Hono()
    app.get('/', () => {
      const res = new Response('Pay first.', { status: 402, headers: { 'X-Price': '5' } })
      throw new HTTPException(402, { res })
    })
    const { status, body, headers } = await expectRefused(serving(version, app).server, '/')
    expect([status, body, headers['x-price']]).toEqual([402, 'Pay first.', '5'])
  })

  test('app.notFound answers a handshake to an unknown path', async () => {
    const app = new Hono()
    app.notFound((c) => c.text('nothing here', 404))
    app.get('/', endpoint)
    const { status, body } = await expectRefused(serving(version, app).server, '/other')
    expect([status, body]).toEqual([404, 'nothing here'])
  })

  test('checkHandshake() refuses before the route', async () => {
    let calls = 0
    const app = new Hono()
    app.use((c, next) => {
      checkHandshake(c, { allowedOrigins: ['https://app.example'] })
      calls++
      return next()
    })
    app.get(
      '/',
      webSocket({ allowedOrigins: ['https://app.example'] }, (socket) => socket.send('hello'))
    )
    const { server } = serving(version, app, { onRefused: () => {} })
    expect((await expectRefused(server, '/', foreign)).status).toBe(403)
    expect(calls).toBe(0)
    expect(await (await connect(server, '/', { origin: 'https://app.example' })).next()).toBe('hello')
  })

  test('a wrong option is an error of the application', async () => {
    const app = new Hono()
    app.get('/', (c) => acceptWebSocket(c, { subprotocol: ['v1'] } as object, () => {}))
    expect((await expectRefused(serving(version, app).server, '/')).status).toBe(500)
    expect(takePrinted()).toEqual([expect.stringContaining("acceptWebSocket: unknown option 'subprotocol'")])
  })

  test.each([
    ['a function', () => {}],
    ['undefined', undefined]
  ])('acceptWebSocket() throws for %s in place of the context', (shown, value) => {
    expect(() => acceptWebSocket(value as never, () => {})).toThrow(
      new TypeError(
        `acceptWebSocket: expected Hono's context; got ${shown}. Call it in a route: (c) => acceptWebSocket(c, …)`
      )
    )
  })

  test('an error in the handler closes the connection with 1011', async () => {
    const app = new Hono()
    app.get(
      '/',
      webSocket(async () => {
        throw new Error('broken')
      })
    )
    const faults: unknown[] = []
    const { server } = serving(version, app, { onError: (error) => void faults.push(error) })
    expect((await (await connect(server, '/')).closed).code).toBe(1011)
    expect(faults).toEqual([new Error('broken')])
  })

  describe('app.request()', () => {
    test('gets 426 for an ordinary request, as from a server', async () => {
      const app = new Hono()
      app.get('/', endpoint)
      const response = await app.request('/')
      expect([response.status, response.headers.get('Upgrade')]).toEqual([426, 'websocket'])
      expect(await response.text()).toMatch(/^This URL is a WebSocket endpoint/)
    })

    test('says what is missing for a handshake', async () => {
      const app = new Hono()
      app.get('/', endpoint)
      const response = await app.request('/', { headers: { Upgrade: 'websocket', Connection: 'Upgrade' } })
      expect(response.status).toBe(500)
      expect(takePrinted()).toEqual([
        expect.stringMatching(/acceptWebSocket: expected Node's request .* got undefined\. .* use @oneport\/testing/)
      ])
    })
  })

  test('a server that is not attached answers 503, and the log says what to call', async () => {
    const app = new Hono()
    app.get('/', endpoint)
    const server = createAdaptorServer({ fetch: app.fetch })
    const { status } = await expectRefused(server, '/', { subprotocols: ['v1'] })
    expect(status).toBe(503)
    expect(takePrinted()).toEqual([
      expect.stringMatching(/HANDSHAKE_NOT_ATTACHED: .* attach\(serve\(\{ fetch: app\.fetch \}\)\)/)
    ])
  })

  test('attach() refuses an application', () => {
    expect(() => attach(new Hono() as never)).toThrow(
      new TypeError(
        'attach: expected a server of node:http, node:https or node:http2; got an application: pass the server that it runs on'
      )
    )
  })

  if (name.endsWith('2')) {
    test('the option `websocket` of serve() is reported', async () => {
      const app = new Hono()
      app.get('/', endpoint)
      const websocket = { server: new WebSocketServer({ noServer: true }) as never }
      const server = createAdaptorServer({ fetch: app.fetch, websocket })
      expect((await expectRefused(server, '/')).status).toBe(500)
      expect(takePrinted()).toEqual([
        expect.stringContaining('acceptWebSocket: the handshake comes from another WebSocket helper of Hono')
      ])
    })
  }
})
