import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { acceptWebSocket, attach } from '@oneport/core'
import { certificate } from '@oneport/test-kit'
import express from 'express'
import request from 'supertest'
import { connect, createNetwork, expectRefused, type Network, type WebSocketClass } from '../src/index.ts'
import type { WebSocket } from '../src/websocket.ts'
import { accepting, answering, brief, said } from './server.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Long enough for what is not held up to arrive in memory. */
async function turns(): Promise<void> {
  for (let count = 0; count < 20; count++) await turn()
}

/** Unlike `once()`, it does not reject at an `error` event. */
const codeOf = (socket: {
  addEventListener(type: 'close', listener: (event: { code: number }) => void): void
}): Promise<number> => new Promise((resolve) => socket.addEventListener('close', ({ code }) => resolve(code)))

const echo = () => accepting((socket) => socket.on('message', (data) => socket.send(String(data))))

/** A server that keeps what it hears. */
function hearing(answer: (socket: WebSocket, data: string) => void = () => {}) {
  const heard: string[] = []
  const closes: number[] = []
  const server = accepting((socket) => {
    socket.on('message', (data) => {
      heard.push(String(data))
      answer(socket, String(data))
    })
    socket.on('close', (code) => closes.push(code))
  })
  return { server, heard, closes }
}

describe('next()', () => {
  test('returns accepted connections in order, before and after the call', async () => {
    const network = await createNetwork(echo())
    const clients = [await connect(network, '/1'), await connect(network, '/2')]
    expect([(await network.next()).url, (await network.next()).url]).toEqual(['ws://127.0.0.1/1', 'ws://127.0.0.1/2'])
    const both = Promise.all([network.next(), network.next()])
    clients.push(await connect(network, '/3'), await connect(network, '/4'))
    expect((await both).map(({ url }) => url)).toEqual(['ws://127.0.0.1/3', 'ws://127.0.0.1/4'])
    network.cut()
    for (const client of clients) expect((await client.closed).code).toBe(1006)
  })

  test('skips connections whose client has left', async () => {
    const network = await createNetwork(echo())
    const gone = await connect(network, '/1')
    network.freeze()
    gone.terminate()
    await gone.closed
    const frozen = network.connections
    expect(frozen.map(({ url }) => url)).toEqual(['ws://127.0.0.1/1'])
    network.thaw()
    const cut = await connect(network, '/2')
    network.cut()
    await cut.closed
    using _client = await connect(network, '/3')
    expect((await network.next()).url).toBe('ws://127.0.0.1/3')
  })

  test('says what happened instead', async () => {
    const server = answering((req, res) => {
      if (req.url === '/401') res.writeHead(401).end()
    })
    const network = await createNetwork(server, brief)
    expect(await said(network.next())).toBe('next: got no connection within 250 ms. No handshake was begun.')
    await expectRefused(network, '/401')
    expect(await said(network.next())).toContain('1 handshake so far: 0 accepted, 0 refused by the network.')
    network.refuse({ status: 503 })
    await expectRefused(network)
    await expectRefused(network)
    expect(await said(network.next())).toContain('3 handshakes so far: 0 accepted, 2 refused by the network.')
  })

  test('loses no connection to a call that timed out, and throws in the line that waited', async () => {
    const network = await createNetwork(echo(), brief)
    const error = await network.next().catch((thrown: Error) => thrown)
    expect((error as Error).stack).toContain('network.test.ts')
    using _client = await connect(network, '/late')
    expect((await network.next()).url).toBe('ws://127.0.0.1/late')
  })
})

describe('cut()', () => {
  test('loses what is under way, in both directions', async () => {
    const { server, heard, closes } = hearing()
    const network = await createNetwork(server)
    const client = await connect(network)
    client.send('lost')
    network.cut()
    expect(await client.closed).toEqual({ code: 1006, reason: '', clean: false })
    await turns()
    expect([heard, closes]).toEqual([[], [1006]])
  })

  test('of one connection leaves the others alone', async () => {
    const network = await createNetwork(echo())
    const first = await connect(network)
    using second = await connect(network)
    ;(await network.next()).cut()
    expect((await first.closed).code).toBe(1006)
    second.send('still here')
    expect(await second.next()).toBe('still here')
    expect(network.connections).toEqual([await network.next()])
  })

  test('ends a handshake that has no answer yet', async () => {
    const network = await createNetwork(answering(() => {}))
    const refused = connect(network)
    while (network.connections.length === 0) await turn()
    network.cut()
    expect(await said(refused)).toMatch(/^connect: the handshake of \/ failed: (?:read ECONNRESET|socket hang up)$/)
  })

  test('of a connection that has ended, or twice, does nothing', async () => {
    const network = await createNetwork(echo())
    const client = await connect(network)
    const connection = await network.next()
    connection.cut()
    connection.cut()
    await client.closed
    connection.cut()
    connection.freeze()
    connection.thaw()
    network.cut()
    expect(network.connections).toEqual([])
  })

  test('at the moment of the handshake is an error without listeners that ends no process', async () => {
    const network = await createNetwork(echo())
    const socket = new network.WebSocket('/')
    network.cut()
    expect(await codeOf(socket)).toBe(1006)
  })
})

describe('freeze()', () => {
  test('in one direction lets the other one through', async () => {
    const { server, heard } = hearing()
    const network = await createNetwork(server)
    using client = await connect(network)
    network.freeze('toClient')
    client.send('one')
    client.socket.ping()
    let pongs = 0
    client.socket.on('pong', () => pongs++)
    await turns()
    expect([heard, pongs]).toEqual([['one'], 0])
    network.freeze('toServer')
    network.thaw('toClient')
    client.send('two')
    await once(client.socket, 'pong')
    await turns()
    expect([heard, pongs]).toEqual([['one'], 1])
    network.thaw()
    while (heard.length < 2) await turn()
    expect(heard).toEqual(['one', 'two'])
  })

  test('applies to connections that begin later, until one is thawed', async () => {
    const network = await createNetwork(echo())
    network.freeze()
    const [first, second] = [connect(network, '/1'), connect(network, '/2', brief)]
    while (network.connections.length < 2) await turn()
    network.connections[0]?.thaw()
    using client = await first
    client.send('hello')
    expect(await client.next()).toBe('hello')
    expect(await said(second)).toBe(
      'connect: the handshake of /2 was not answered within 250 ms. Nothing was received.'
    )
  })

  test('of one connection lets a client that connects again through', async () => {
    const { server, heard, closes } = hearing()
    const network = await createNetwork(server)
    const old = await connect(network)
    ;(await network.next()).freeze()
    old.send('held')
    old.terminate()
    using client = await connect(network)
    client.send('passed')
    while (heard.length === 0) await turn()
    await turns()
    expect([heard, closes]).toEqual([['passed'], []])
    network.thaw()
    while (closes.length === 0) await turn()
    expect([heard, closes]).toEqual([['passed', 'held'], [1006]])
  })

  test('hides from a client that writes that the server has left', async () => {
    const server = accepting((socket) => socket.on('message', () => socket.terminate()))
    const network = await createNetwork(server)
    using client = await connect(network)
    network.freeze('toClient')
    client.send('leave')
    await turns()
    client.send('are you there?')
    await turns()
    expect(client.socket.readyState).toBe(1)
    network.thaw()
    expect((await client.closed).code).toBe(1006)
  })

  test('makes a client slow, up to the limit of the server', async () => {
    const sockets: WebSocket[] = []
    const server = answering((req, res) =>
      acceptWebSocket(req, res, { maxBufferedBytes: 4_194_304 }, (socket) => {
        sockets.push(socket)
        for (let count = 0; count < 8; count++) socket.send(Buffer.alloc(1_048_576))
      })
    )
    const network = await createNetwork(server)
    network.freeze('toClient')
    const connecting = connect(network)
    while (sockets[0]?.readyState !== 2) await turn()
    network.thaw()
    expect((await (await connecting).closed).code).toBe(1013)
  })

  test('is found out by a heartbeat', async () => {
    const codes: Promise<unknown[]>[] = []
    const silent = accepting((socket) => codes.push(once(socket, 'close')), {
      heartbeat: { intervalMs: 20, timeoutMs: 20 }
    })
    const network = await createNetwork(silent)
    using _client = await connect(network)
    network.freeze()
    expect((await codes[0])?.[0]).toBe(1006)
  })
})

describe('delay()', () => {
  beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }))

  afterEach(() => jest.useRealTimers())

  test('is the time of one direction, by the timers of the test', async () => {
    const { server, heard } = hearing((socket, data) => socket.send(data))
    const network = await createNetwork(server)
    using client = await connect(network)
    network.delay(1_000)
    client.send('hello')
    jest.advanceTimersByTime(999)
    await turns()
    expect(heard).toEqual([])
    jest.advanceTimersByTime(1)
    expect(heard).toEqual(['hello'])
    const answer = client.next()
    const arrived = jest.fn()
    void answer.then(arrived)
    jest.advanceTimersByTime(999)
    await turns()
    expect(arrived).not.toHaveBeenCalled()
    jest.advanceTimersByTime(1)
    expect(await answer).toBe('hello')
  })

  test('applies to one direction, and to connections that begin later', async () => {
    const { server, heard } = hearing()
    const network = await createNetwork(server)
    network.delay(1_000, 'toServer')
    const connecting = connect(network)
    await turns()
    jest.advanceTimersByTime(1_000)
    using client = await connecting
    client.send('slow')
    await turns()
    expect(heard).toEqual([])
    jest.advanceTimersByTime(1_000)
    await turns()
    expect(heard).toEqual(['slow'])
  })

  test.each([{ status: 503 }, {}])('applies to a refusal: %p', async (options) => {
    const network = await createNetwork(echo())
    network.refuse(options)
    network.delay(1_000, 'toClient')
    const socket = new network.WebSocket('/')
    const code = codeOf(socket)
    await turns()
    jest.advanceTimersByTime(999)
    await turns()
    expect(socket.readyState).toBe(0)
    jest.advanceTimersByTime(1)
    expect(await code).toBe(1006)
  })

  test('keeps the order when it becomes shorter', async () => {
    const { server, heard } = hearing()
    const network = await createNetwork(server)
    using client = await connect(network)
    network.delay(1_000, 'toServer')
    client.send('one')
    network.delay(0)
    client.send('two')
    await turns()
    expect(heard).toEqual([])
    jest.advanceTimersByTime(1_000)
    expect(heard).toEqual(['one', 'two'])
  })

  test('leaves no timer behind after a cut', async () => {
    const { server, heard, closes } = hearing()
    const network = await createNetwork(server)
    const client = await connect(network)
    await client.ping()
    const others = jest.getTimerCount()
    network.delay(1_000)
    client.send('lost')
    expect(jest.getTimerCount()).toBeGreaterThan(others)
    network.cut()
    await client.closed
    await turns()
    expect(jest.getTimerCount()).toBeLessThanOrEqual(others)
    expect([heard, closes]).toEqual([[], [1006]])
  })
})

describe('refuse()', () => {
  test('refuses as often as told, and leaves open connections alone', async () => {
    const network = await createNetwork(echo())
    using before = await connect(network)
    network.refuse({ status: 429, times: 2 })
    expect([(await expectRefused(network)).status, (await expectRefused(network)).status]).toEqual([429, 429])
    using client = await connect(network)
    for (const each of [before, client]) {
      each.send('hello')
      expect(await each.next()).toBe('hello')
    }
  })

  test('is seen by a client library as an error and 1006, and by the application not at all', async () => {
    let seen = 0
    const network = await createNetwork(answering((_req, res) => void res.writeHead(500 + seen++).end()))
    const errors: string[] = []
    for (const options of [{ status: 503, times: 1 }, { times: 1 }]) {
      network.refuse(options)
      const socket = new network.WebSocket('/')
      socket.addEventListener('error', (event) => errors.push((event as Event & { message: string }).message))
      expect(await codeOf(socket)).toBe(1006)
    }
    expect(errors).toEqual(['Unexpected server response: 503', 'connect ECONNREFUSED'])
    expect([seen, network.connections]).toEqual([0, []])
  })

  test.each([{ status: 503 }, {}])('has no answer on a frozen network: %p', async (options) => {
    const network = await createNetwork(echo())
    network.refuse(options)
    network.freeze()
    const socket = new network.WebSocket('/')
    const closed = codeOf(socket)
    await turns()
    expect(socket.readyState).toBe(0)
    network.thaw()
    expect(await closed).toBe(1006)
  })
})

describe('the class of WebSockets', () => {
  const asked = (): { network: Promise<Network>; requests: IncomingMessage[] } => {
    const requests: IncomingMessage[] = []
    const server = accepting((_socket, req) => requests.push(req as IncomingMessage), { subprotocols: ['a', 'b'] })
    return {
      network: createNetwork(server, {
        headers: { 'X-One': '1', 'X-Two': '2' },
        origin: 'same-origin',
        subprotocols: ['b']
      }),
      requests
    }
  }

  test('sends the host of the URL, its path, and the options of the network', async () => {
    const { network, requests } = asked()
    const { WebSocket } = await network
    const socket = new WebSocket(new URL('ws://app.example:81/news?a=b'))
    await once(socket, 'open')
    expect([socket.url, socket.protocol]).toEqual(['ws://app.example:81/news?a=b', 'b'])
    expect(requests[0]?.url).toBe('/news?a=b')
    expect(requests[0]?.headers).toMatchObject({
      host: 'app.example:81',
      origin: 'http://app.example:81',
      'x-one': '1',
      'x-two': '2'
    })
  })

  test('takes a path alone, and options like that of ws, in both places', async () => {
    const { network, requests } = asked()
    const { WebSocket }: { WebSocket: WebSocketClass } = await network
    const sockets = [
      new WebSocket('/a', ['a'], { headers: { 'X-Two': 'two' }, agent: 'not used', createConnection: 'not used' }),
      new WebSocket('/b', { headers: { 'X-Two': 'two' } } as never),
      new WebSocket('wss://app.example/c', undefined)
    ]
    for (const socket of sockets) await once(socket, 'open')
    expect(sockets.map(({ url, protocol }) => [url, protocol])).toEqual([
      ['ws://127.0.0.1/a', 'a'],
      ['ws://127.0.0.1/b', 'b'],
      ['wss://app.example/c', 'b']
    ])
    expect(requests.map(({ headers }) => headers['x-two'])).toEqual(['two', 'two', '2'])
  })

  test('has the constants, and throws for what is no URL and no subprotocol', async () => {
    const { WebSocket } = await createNetwork(echo())
    expect([WebSocket.CONNECTING, WebSocket.OPEN, WebSocket.CLOSING, WebSocket.CLOSED]).toEqual([0, 1, 2, 3])
    expect(() => new WebSocket('ws://')).toThrow(new SyntaxError('WebSocket: expected a URL; got "ws://"'))
    expect(() => new WebSocket('ftp://app.example')).toThrow(SyntaxError)
    expect(() => new WebSocket('/', 'a b')).toThrow(SyntaxError)
  })

  test('sends the cookies of an agent, and stores those that are set', async () => {
    const app = express().set('env', 'test')
    app.get('/login', (_req, res) => void res.cookie('login', 'ada').end())
    const agent = request.agent(app)
    await agent.get('/login')
    const cookies: unknown[] = []
    const server = answering((req, res) => {
      cookies.push(req.headers.cookie)
      res.setHeader('Set-Cookie', 'seen=1')
      return acceptWebSocket(req, res, () => {})
    })
    const network = await createNetwork(server, { agent })
    await once(new network.WebSocket('ws://app.example/'), 'open')
    await once(new network.WebSocket('ws://app.example/'), 'open')
    expect(cookies).toEqual(['login=ada', 'login=ada; seen=1'])
  })

  test('ends a handshake after its time, though a connection in memory has no timeouts', async () => {
    const network = await createNetwork(echo())
    network.freeze()
    const socket = new network.WebSocket('/', [], { handshakeTimeout: 20 })
    expect(await codeOf(socket)).toBe(1006)
    network.thaw()
    const opened = new network.WebSocket('/', [], { handshakeTimeout: 100_000 })
    const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
    const before = timers()
    await once(opened, 'open')
    expect(timers()).toBeLessThan(before)
    network.refuse()
    const refused = new network.WebSocket('/', [], { handshakeTimeout: 100_000 })
    await codeOf(refused)
    expect(timers()).toBeLessThan(before)
  })

  test('keeps the AsyncLocalStorage contexts of both ends apart, after a thaw too', async () => {
    const storage = new AsyncLocalStorage<string>()
    const stores: Record<string, unknown> = {}
    const server = accepting((socket) => {
      stores.handler = storage.getStore()
      socket.on('message', () => {
        stores.listener = storage.getStore()
        storage.run('server', () => socket.send('answer'))
      })
      socket.on('close', () => {
        stores.close = storage.getStore()
      })
    })
    const network = await createNetwork(server)
    const client = await storage.run('test', () => connect(network))
    client.socket.on('message', () => {
      stores.client = storage.getStore()
    })
    client.socket.on('close', () => {
      stores.clientClose = storage.getStore()
    })
    network.freeze()
    client.send('question')
    storage.run('thaw', () => network.thaw())
    expect(await client.next()).toBe('answer')
    storage.run('cut', () => network.cut())
    await client.closed
    await turns()
    expect(stores).toEqual({
      handler: undefined,
      listener: undefined,
      client: 'test',
      close: undefined,
      clientClose: 'test'
    })
  })
})

describe('fetch()', () => {
  test('sends a request with the options of the network, and returns the response', async () => {
    const requests: unknown[] = []
    const server = createServer(async ({ method, url, headers }, reader) => {
      requests.push([method, url, headers.host, headers['x-one'], headers.origin])
      reader.writeHead(201, 'Made', [
        ['Set-Cookie', 'a=1'],
        ['Set-Cookie', 'b=2']
      ] as never)
      reader.end(`${method} ${url}`)
    })
    const network = await createNetwork(server, { headers: { 'X-One': '1' }, origin: 'same-origin' })
    const response = await network.fetch('http://app.example/a?b=c')
    expect(response).toMatchObject({ status: 201, statusText: 'Made', url: 'http://app.example/a?b=c' })
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    expect(await response.text()).toBe('GET /a?b=c')
    await network.fetch(new Request('http://app.example:81/d', { headers: { 'x-one': 'own' } }))
    await network.fetch('/e', { method: 'DELETE', headers: { Origin: 'null' } })
    expect(requests).toEqual([
      ['GET', '/a?b=c', 'app.example', '1', 'http://app.example'],
      ['GET', '/d', 'app.example:81', 'own', 'http://app.example:81'],
      ['DELETE', '/e', '127.0.0.1', '1', 'null']
    ])
  })

  test.each([false, true])('sends and receives bodies, and none where there is none, with TLS: %p', async (tls) => {
    const bytes = Buffer.alloc(3_000_000, 'abc')
    const listener = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
      const body = Buffer.concat(await req.toArray())
      if (req.url === '/205') return void res.writeHead(205).end(bytes)
      res.writeHead(req.url === '/204' ? 204 : 200, { 'X-Length': String(req.headers['content-length']) })
      res.end(req.url === '/204' ? undefined : body)
    }
    const network = await createNetwork(
      tls ? https.createServer(await certificate(), listener) : createServer(listener)
    )
    const echoed = await network.fetch('/', { method: 'POST', body: bytes })
    expect(echoed.headers.get('x-length')).toBe('3000000')
    expect(bytes.equals(Buffer.from(await echoed.arrayBuffer()))).toBe(true)
    for (const [path, method] of [
      ['/204', 'GET'],
      ['/205', 'GET'],
      ['/', 'HEAD']
    ] as const) {
      const { body, status } = await network.fetch(path, { method })
      expect([body, status]).toEqual([null, Number(path.slice(1)) || 200])
    }
    while (network.connections.length > 0) await turn()
  })

  test('streams, until the network breaks', async () => {
    const writers: ServerResponse[] = []
    const network = await createNetwork(createServer((_req, res) => void writers.push(res.writeHead(200))))
    const responding = network.fetch('/')
    while (writers.length === 0) await turn()
    writers[0]?.write('one')
    const reader = (await responding).body?.getReader()
    expect(String(Buffer.from((await reader?.read())?.value as Uint8Array))).toBe('one')
    network.freeze()
    writers[0]?.write('two')
    const second = reader?.read()
    await turns()
    network.thaw()
    expect(String(Buffer.from((await second)?.value as Uint8Array))).toBe('two')
    network.cut()
    await expect(reader?.read()).rejects.toThrow()
    while (!writers[0]?.destroyed) await turn()
    expect(network.connections).toEqual([])
  })

  test('passes where a status refuses WebSockets, but not where nobody listens', async () => {
    const network = await createNetwork(createServer((_req, res) => res.end('by HTTP')))
    network.refuse({ status: 403, times: 1 })
    expect(await (await network.fetch('/')).text()).toBe('by HTTP')
    expect((await expectRefused(network)).status).toBe(403)
    network.refuse()
    const error = await network.fetch('/').catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'TypeError', message: 'fetch failed', cause: { code: 'ECONNREFUSED' } })
  })

  test('ends when its signal does, before and after the response', async () => {
    const responses: ServerResponse[] = []
    const network = await createNetwork(createServer((_req, res) => void responses.push(res)))
    const reason = new Error('changed my mind')
    await expect(network.fetch('/', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const before = new AbortController()
    const pending = network.fetch('/', { signal: before.signal })
    while (responses.length === 0) await turn()
    before.abort(reason)
    await expect(pending).rejects.toBe(reason)
    const after = new AbortController()
    const responding = network.fetch('/', { signal: after.signal })
    while (responses.length === 1) await turn()
    responses[1]?.write('one')
    const { body } = await responding
    after.abort(reason)
    await expect(
      body
        ?.getReader()
        .read()
        .then(() => body?.getReader().read())
    ).rejects.toThrow()
    while (network.connections.length > 0) await turn()
  })

  test('stores cookies, and sends them', async () => {
    const app = express().get('/', (req, res) => void res.cookie('seen', '1').send(req.headers.cookie ?? 'none'))
    const network = await createNetwork(app, { agent: request.agent(app) })
    expect(await (await network.fetch('/')).text()).toBe('none')
    expect(await (await network.fetch('/')).text()).toBe('seen=1')
  })

  test('rejects what is no URL', async () => {
    const network = await createNetwork(echo())
    await expect(network.fetch('http://')).rejects.toThrow('Invalid URL')
  })
})

describe('a network over a port', () => {
  test('keeps the port of the server open until it is closed', async () => {
    const server = echo()
    {
      using network = await createNetwork(server, { port: true })
      const client = await connect(network)
      await client.close()
      expect(server.listening).toBe(true)
      expect((server.address() as AddressInfo).address).toBe('127.0.0.1')
      while (network.connections.length > 0) await turn()
    }
    await turns()
    expect(server.listening).toBe(false)
  })

  test('resets the connection to the server', async () => {
    const server = echo()
    const codes: unknown[] = []
    server.on('connection', (socket) => socket.on('error', ({ code }: NodeJS.ErrnoException) => codes.push(code)))
    using network = await createNetwork(server, { port: true })
    const client = await connect(network)
    network.cut()
    await client.closed
    while (codes.length === 0) await turn()
    expect(codes).toEqual(['ECONNRESET'])
  })

  test('can lead to a URL, and reports that nobody listens there', async () => {
    const server = echo()
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo
    const network = await createNetwork(`http://127.0.0.1:${port}/base`)
    const client = await connect(network)
    expect((await network.next()).url).toBe(`ws://127.0.0.1:${port}/base`)
    client.send('hello')
    expect(await client.next()).toBe('hello')
    await client.close()
    await once(server.close(), 'close')
    expect(await said(connect(network))).toContain('connect: the handshake of /base failed: connect ECONNREFUSED')
    while (network.connections.length > 0) await turn()
  })
})

test('close() cuts all connections and refuses others', async () => {
  const network = await createNetwork(echo())
  const client = await connect(network)
  network.close()
  expect((await client.closed).code).toBe(1006)
  expect(await said(connect(network))).toContain('ECONNREFUSED')
})

test('connect() chooses the protocol of each connection, and fetch() speaks HTTP/1.1', async () => {
  const listener: RequestListener = (req, res) => void acceptWebSocket(req, res, () => {})
  const server = http2.createSecureServer({ ...(await certificate()), allowHTTP1: true }, listener as never)
  attach(server)
  const network = await createNetwork(server)
  using second = await connect(network)
  using first = await connect(network, '/', { http2: false })
  expect([second.response.httpVersion, first.response.httpVersion]).toEqual(['2.0', '1.1'])
  expect((await network.fetch('/')).status).toBe(426)
})

describe('a mistake', () => {
  test.each<[(network: Network) => unknown, string]>([
    [
      (network) => network.freeze('server' as never),
      "freeze: direction: expected 'toServer' or 'toClient'; got \"server\"; did you mean 'toServer'?"
    ],
    [(network) => network.thaw(null as never), "thaw: direction: expected 'toServer' or 'toClient'; got null"],
    [(network) => network.delay(1, { toServer: true } as never), 'delay: direction: expected'],
    [
      (network) => network.delay('100' as never),
      'delay: expected a number of milliseconds from 0 to 2147483647; got "100"; did you mean 100?'
    ],
    [(network) => network.delay(-1), 'got -1'],
    [(network) => network.delay(Number.NaN), 'got NaN'],
    [(network) => network.delay(2 ** 31), 'got 2147483648'],
    [(network) => network.refuse(503 as never), 'refuse: options: expected an object; got 503'],
    [(network) => network.refuse({ status: 101 }), 'refuse: status: expected a number from 200 to 599; got 101'],
    [(network) => network.refuse({ status: '503' as never }), 'did you mean 503?'],
    [(network) => network.refuse({ times: 0 }), 'refuse: times: expected a number above 0, or Infinity; got 0'],
    [(network) => network.refuse({ time: 1 } as never), "refuse: unknown option 'time'; did you mean times?"],
    [(network) => network.freeze(Symbol('\u001b') as never), 'got Symbol(\\u001b)']
  ])('in a call is a TypeError: %p', async (call, sentence) => {
    const network = await createNetwork(echo())
    using client = await connect(network)
    expect(() => call(network)).toThrow(TypeError)
    expect(() => call(network)).toThrow(sentence)
    client.send('hello')
    expect(await client.next()).toBe('hello')
    using _other = await connect(network)
  })

  test('in an option, a target or a path is a TypeError', async () => {
    await expect(createNetwork({} as never)).rejects.toThrow(/^createNetwork: expected an Express .*; got \{\}$/)
    await expect(createNetwork(echo(), { timeout: 1 } as never)).rejects.toThrow(
      "createNetwork: unknown option 'timeout'; did you mean timeoutMs?"
    )
    const network = await createNetwork(echo())
    await expect(connect(network, 'chat')).rejects.toThrow(
      'connect: path: expected a string that starts with \'/\'; got "chat"'
    )
    await expect(connect(network, '/', { port: true })).rejects.toThrow(
      'connect: port: expected the one of createNetwork(); got true'
    )
    const app = { server: echo(), ready: () => new Promise(() => {}) }
    await expect(createNetwork(app, brief)).rejects.toThrow(
      'createNetwork: the application was not ready within 250 ms'
    )
  })
})
