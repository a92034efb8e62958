import { type Client, type ConnectOptions, connect, expectRefused } from '../src/index.ts'
import { type Application, applications, startApplication } from './applications.ts'

/** The same behaviour for every kind of connection. */
describe.each(applications)('%s', (_name, served) => {
  const { isSecure, http2 } = served

  describe.each([
    ['in memory', false],
    ['over a port', true]
  ])('%s', (_way, port) => {
    let application: Application
    let clients: Client[]

    beforeEach(async () => {
      clients = []
      application = await startApplication(served)
    })

    afterEach(async () => {
      for (const client of clients) client.terminate()
      await application.close()
    })

    const open = async (path: string, options: ConnectOptions = {}): Promise<Client> => {
      const client = await connect(application.target, path, { port, http2, ...options })
      clients.push(client)
      return client
    }

    const refuse = (path: string, options: ConnectOptions = {}) =>
      expectRefused(application.target, path, { port, http2, ...options })

    const asked = async (options: ConnectOptions): Promise<unknown> => (await open('/asked', options)).nextJson()

    test('keeps messages that arrive with the 101, in order', async () => {
      const client = await open('/echo')
      await new Promise((resolve) => setImmediate(resolve))
      expect([await client.next(), await client.next()]).toEqual(['one', 'two'])
    })

    test('shows status and header fields of the answer', async () => {
      const { response } = await open('/echo')
      expect(response.status).toBe(http2 ? 200 : 101)
      expect(response.httpVersion).toBe(http2 ? '2.0' : '1.1')
      expect(response.headers).toMatchObject({ 'x-powered-by': 'tests', 'set-cookie': ['seen=yes; Path=/'] })
      expect(response.headers.upgrade).toBe(http2 ? undefined : 'websocket')
    })

    test('agrees on a subprotocol', async () => {
      expect((await open('/echo', { subprotocols: ['chat.v1', 'chat.v2'] })).subprotocol).toBe('chat.v2')
      expect((await open('/echo')).subprotocol).toBeUndefined()
    })

    test('transfers text, bytes and JSON in both directions', async () => {
      const client = await open('/echo')
      await client.next()
      await client.next()
      client.send('text')
      client.send(Buffer.from([0, 255]))
      client.send(new Uint8Array([1, 2]))
      client.sendJson({ a: [1] })
      expect(await client.next()).toBe('text')
      expect(await client.next()).toEqual(Buffer.from([0, 255]))
      expect(await client.next()).toEqual(Buffer.from([1, 2]))
      expect(await client.nextJson()).toEqual({ a: [1] })
    })

    test('compresses if both ends agree', async () => {
      const client = await open('/echo', { perMessageDeflate: true })
      expect(client.response.headers['sec-websocket-extensions']).toContain('permessage-deflate')
      client.send('again '.repeat(1_000))
      await client.next()
      await client.next()
      expect(await client.next()).toBe('again '.repeat(1_000))
    })

    test('transfers a large message in both directions', async () => {
      const client = await open('/echo')
      const large = Buffer.alloc(1_000_000, 'abc')
      client.send(large)
      await client.next()
      await client.next()
      expect(large.equals((await client.next()) as Buffer)).toBe(true)
    })

    test('delivers to the endpoint what is sent before it listens', async () => {
      const client = await open('/late')
      client.send('one')
      client.send('two')
      expect([await client.next(), await client.next()]).toEqual(['heard one', 'heard two'])
    })

    test("sends no origin, the server's, or a given one", async () => {
      expect(await asked({})).not.toHaveProperty('origin')
      const sameOrigin = expect.stringMatching(isSecure ? /^https:\/\/127\.0\.0\.1/ : /^http:\/\/127\.0\.0\.1/)
      expect(await asked({ origin: 'same-origin' })).toMatchObject({ origin: sameOrigin })
      const { status } = await refuse('/asked', { origin: 'https://evil.example' })
      expect(status).toBe(403)
    })

    test('is a connection from 127.0.0.1', async () => {
      expect(await asked({})).toMatchObject({ ip: '127.0.0.1', peer: '127.0.0.1', isSecure })
    })

    test('sends cookies and repeated fields', async () => {
      const headers = { Cookie: 'login=ada; theme=dark', 'X-Many': ['1', '2'] }
      expect(await asked({ headers })).toMatchObject({ cookie: 'login=ada; theme=dark', many: '1, 2' })
    })

    test('lets the application trust what a proxy says', async () => {
      const headers = {
        'X-Forwarded-For': '192.0.2.7',
        'X-Forwarded-Host': 'app.example',
        'X-Forwarded-Proto': 'https'
      }
      expect(await asked({ headers, origin: 'https://app.example' })).toMatchObject({
        ip: '192.0.2.7',
        peer: '127.0.0.1'
      })
      expect((await refuse('/asked', { origin: 'https://app.example' })).status).toBe(403)
    })

    test('sends a given host', async () => {
      const headers = { Host: 'app.example' }
      expect(await asked({ headers, origin: 'same-origin' })).toMatchObject({
        host: 'app.example',
        origin: isSecure ? 'https://app.example' : 'http://app.example'
      })
    })

    test('returns status, header fields and body of a refusal', async () => {
      const { body, headers, status } = await refuse('/refused')
      expect(status).toBe(401)
      expect(JSON.parse(body)).toEqual({ message: 'Log in first.' })
      expect(headers).toMatchObject({ 'x-why': 'no login', 'set-cookie': ['a=1; Path=/', 'b=2; Path=/'] })
      expect(headers['content-type']).toContain('application/json')
    })

    test('returns the 404 of a path without an endpoint', async () => {
      expect((await refuse('/nowhere?a=b')).status).toBe(404)
    })

    test('reports how the server closes', async () => {
      const client = await open('/end')
      client.send('close')
      expect(await client.closed).toEqual({ code: 4001, reason: 'over', clean: true })
    })

    test('shows the server how the client closes', async () => {
      const client = await open('/end')
      expect(await client.close(3001, 'enough')).toEqual({ code: 3001, reason: 'enough', clean: true })
      expect(await application.heard.end).toBe(3001)
    })

    test('shows the server that the connection was cut', async () => {
      const client = await open('/end')
      client.terminate()
      expect(await application.heard.end).toBe(1006)
      expect(await client.closed).toEqual({ code: 1006, reason: '', clean: false })
    })

    test('reports a connection that the server cuts', async () => {
      const client = await open('/end')
      client.send('terminate')
      expect(await client.closed).toEqual({ code: 1006, reason: '', clean: false })
    })

    test('gets a pong', async () => {
      const client = await open('/end')
      await client.ping()
      await client.ping('are you there')
    })

    test('allows a client that does not read to be closed', async () => {
      const client = await open('/flood')
      client.socket.pause()
      await application.heard.end
      client.socket.resume()
      expect(await client.closed).toMatchObject({ code: 1013 })
    })
  })
})
