import { once } from 'node:events'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import {
  bodyOf,
  closed,
  connectClient,
  handshake,
  headArrived,
  openSession,
  refused,
  sendConnect,
  sendRaw,
  type Target,
  webSocketOn
} from '@oneport/test-kit'
import Koa from 'koa'
import type { WebSocket } from 'ws'
import { type Agreement, agree, attach } from '../src/adapter.ts'
import { type AttachOptions, HandshakeError } from '../src/index.ts'
import { open, type Served, serve, stopAll } from './server.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  await stopAll()
  for (const close of closers.splice(0).reverse()) await close()
})

const echo = (socket: WebSocket): void => {
  socket.on('message', (data) => socket.send(String(data)))
}

describe('a framework that sends the head after its route has returned', () => {
  type Route = (ctx: Koa.Context) => unknown

  /** Koa, with middleware that sets a field after `await next()`. */
  async function serveKoa(route: Route, options?: AttachOptions): Promise<Served> {
    const app = new Koa()
    app.silent = true
    app.use(async (ctx, next) => {
      ctx.set('X-Before', '1')
      await next()
      ctx.set('X-After', '1')
    })
    app.use(route)
    const callback = app.callback()
    return serve((req, res) => callback(req, res), options)
  }

  /** An adapter for Koa. */
  const accept: Route = (ctx) => {
    try {
      agree(ctx.req, undefined, echo)
      ctx.status = 101
    } catch (error) {
      if (!(error instanceof HandshakeError)) throw error
      ctx.set(error.headers)
      ctx.throw(error.status, error.message)
    }
  }

  test('regression: a field set after the route was lost, or the handshake waited for its 503', async () => {
    const { target } = await serveKoa(accept)
    const { fields, status } = await sendRaw(target, handshake('/'), headArrived)
    expect(status).toBe(101)
    expect(fields.get('x-before')).toEqual(['1'])
    expect(fields.get('x-after')).toEqual(['1'])
    expect(fields.has('content-type')).toBe(false)
    const { socket, next } = await connectClient(target, '/')
    socket.send('hello')
    expect(await next()).toBe('hello')
  })

  test('refuses in the route, with an ordinary error', async () => {
    const { target } = await serveKoa(accept, { onRefused: () => {} })
    const { status, fields } = await sendRaw(target, handshake('/', { Origin: 'https://other.example' }))
    expect(status).toBe(403)
    expect(fields.get('x-before')).toBeUndefined()
  })

  test('frees the place if middleware fails after the route', async () => {
    const { target, attachment } = await serveKoa(
      async (ctx) => {
        await accept(ctx)
        if (ctx.path === '/fails') throw new Error('broken by middleware')
      },
      { maxConnections: 1, onRefused: () => {} }
    )
    expect(await refused(connectClient(target, '/fails'))).toBe(500)
    const { socket } = await connectClient(target, '/')
    expect(await refused(connectClient(target, '/'))).toBe(503)
    const end = closed(socket)
    socket.close()
    await end
    expect(attachment.stats().pending).toBe(0)
  })
})

/** Keeps what the route agreed to. */
function keeping(send: (res: ServerResponse) => unknown): {
  agreements: Agreement[]
  listener: (req: IncomingMessage, res: ServerResponse) => void
} {
  const agreements: Agreement[] = []
  return {
    agreements,
    listener: (req, res) => {
      agreements.push(agree(req, { subprotocols: ['chat'] }, echo))
      send(res)
    }
  }
}

describe('an agreement', () => {
  test('names the subprotocol, writes nothing, and resolves with the 101', async () => {
    let waiting: ServerResponse | undefined
    const { agreements, listener } = keeping((res) => {
      waiting = res
    })
    const { target, attachment } = await serve(listener)
    const connecting = connectClient(target, '/', ['chat'])
    while (waiting === undefined) await setImmediate()
    const [agreement] = agreements as [Agreement]
    expect(agreement.subprotocol).toBe('chat')
    expect(waiting.headersSent).toBe(false)
    expect(attachment.stats()).toMatchObject({ pending: 1, accepted: 0 })
    const settled = agreement.settled()
    expect(agreement.settled()).toBe(settled)
    waiting.writeHead(101).end()
    expect(await settled).toBe(true)
    expect(await agreement.settled()).toBe(true)
    await connecting
  })

  test.each<[what: string, send: (res: ServerResponse) => unknown, status: number]>([
    ['another status', (res) => res.writeHead(503).end(), 503],
    ['another implicit status', (res) => void Object.assign(res, { statusCode: 418 }).end('a teapot'), 418]
  ])('resolves with false if the response has %s, and frees the place', async (_what, send, status) => {
    const { agreements, listener } = keeping(send)
    const { target } = await serve(listener, { maxConnections: 1 })
    for (let round = 0; round < 2; round++) expect(await refused(connectClient(target, '/'))).toBe(status)
    expect(await Promise.all(agreements.map((agreement) => agreement.settled()))).toEqual([false, false])
  })

  test('resolves with false if the client leaves first, and frees the place', async () => {
    const { agreements, listener } = keeping(() => {})
    const { target, attachment } = await serve(listener, { maxConnections: 1, onRefused: () => {} })
    const raw = await open(target)
    raw.write(handshake('/'))
    while (agreements.length === 0) await setImmediate()
    raw.resetAndDestroy()
    expect(await agreements[0]?.settled()).toBe(false)
    expect(attachment.stats()).toMatchObject({ pending: 0, refused: { HANDSHAKE_ABORTED: 1 } })
  })

  test('is made once per request, and not after a response has begun', async () => {
    const errors: unknown[] = []
    const attempt = (req: IncomingMessage): void => {
      try {
        agree(req, undefined, echo)
      } catch (error) {
        errors.push(error)
      }
    }
    const { target } = await serve(
      (req, res) => {
        if (req.url === '/begun') res.writeHead(404).end()
        else attempt(req)
        attempt(req)
        if (req.url !== '/begun') res.writeHead(101).end()
      },
      { maxConnections: 1 }
    )
    expect((await sendRaw(target, handshake('/begun'))).status).toBe(404)
    await connectClient(target, '/')
    expect(errors.map(String)).toEqual([
      'Error: acceptWebSocket() was called after the response had started with status 404.',
      'Error: acceptWebSocket() was called twice for one request.'
    ])
  })

  test('is refused at once, with an error that says how to answer', async () => {
    let thrown: unknown
    const { target } = await serve((req, res) => {
      try {
        agree(req, { requireSubprotocol: true, subprotocols: ['chat'] }, echo)
      } catch (error) {
        thrown = error
      }
      res.writeHead(400).end()
    })
    expect(await refused(connectClient(target, '/'))).toBe(400)
    expect(thrown).toMatchObject({ name: 'HandshakeError', code: 'HANDSHAKE_SUBPROTOCOL', status: 400 })
  })

  test.each<[how: string, send: (res: ServerResponse) => unknown]>([
    ['at once', (res) => res.writeHead(101).end()],
    ['implicitly', (res) => Object.assign(res, { statusCode: 101 }).end('Switching Protocols')],
    ['later', (res) => setImmediate().then(() => res.writeHead(101, { 'x-after': '1' }).end())]
  ])('works over HTTP/2 if the response is sent %s', async (how, send) => {
    const { listener } = keeping(send)
    const { target, attachment } = await serveHttp2(listener)
    const session = await sessionOf(target)
    const { status, headers, stream } = await sendConnect(session, '/')
    expect(status).toBe(200)
    expect(headers['x-after']).toBe(how === 'later' ? '1' : undefined)
    const socket = webSocketOn(stream)
    socket.send('hello')
    expect(String((await once(socket, 'message'))[0])).toBe('hello')
    expect(attachment.stats().accepted).toBe(1)
  })
})

// As set by `res.status('101')` of Express 4.
test('regression: a 101 as a string was sent without the fields of a handshake', async () => {
  const { target } = await serve((req, res) => {
    agree(req, undefined, echo)
    res.writeHead('101' as never).end()
  })
  const { socket, next } = await connectClient(target, '/')
  socket.send('hello')
  expect(await next()).toBe('hello')
})

test('regression: a response that bypassed its own writeHead kept the place', async () => {
  const { target } = await serve(
    (req, res) => {
      agree(req, undefined, echo)
      if (req.url === '/') res.writeHead(101).end()
      else Reflect.apply(http.ServerResponse.prototype.writeHead, res, [418]).end('a teapot')
    },
    { maxConnections: 1 }
  )
  for (let round = 0; round < 2; round++) expect((await sendRaw(target, handshake('/past'))).status).toBe(418)
  await connectClient(target, '/')
})

test('regression: HTTP/2: an answer that replaced a status of 101 threw, and lost its body', async () => {
  const { target } = await serveHttp2((req, res) => {
    agree(req, undefined, echo)
    res.statusCode = 101
    res.writeHead(500).end('broken by middleware')
  })
  const answer = await sendConnect(await sessionOf(target), '/')
  expect(answer.status).toBe(500)
  expect(await bodyOf(answer)).toBe('broken by middleware')
})

/** Starts an HTTP/2 server, which is closed at the end of the test. */
async function serveHttp2(listener: http.RequestListener) {
  const server = http2.createServer(listener as never)
  const attachment = attach(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  closers.push(() => new Promise((resolve) => void server.close(resolve)))
  return { target: { port: (server.address() as AddressInfo).port, tls: false }, attachment }
}

async function sessionOf(target: Target): Promise<http2.ClientHttp2Session> {
  const session = await openSession(target)
  closers.push(() => session.destroy())
  return session
}

describe('attach without a dispatcher', () => {
  test("accepts handshakes through the server's own event, once", async () => {
    const server = http.createServer((req, res) => {
      agree(req, undefined, echo)
      res.writeHead(101).end()
    })
    const attachment = attach(server, { maxConnections: 1 })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    closers.push(() => new Promise((resolve) => void server.close(resolve)))
    const target = { port: (server.address() as AddressInfo).port }
    const { socket, next } = await connectClient(target, '/')
    socket.send('hello')
    expect(await next()).toBe('hello')
    expect(() => attach(server)).toThrow(
      'attach: this server is already attached; call detach() on that attachment first'
    )
    attachment.detach()
    attach(server).detach()
    socket.terminate()
  })

  test.each([
    ['x', "attach: expected a listener (req, res) => … or options; got 'x'"],
    [null, 'attach: expected a listener (req, res) => … or options; got null'],
    [{ wrong: 1 }, /wrong/]
  ])('refuses %p', (wrong, message) => {
    expect(() => attach(http.createServer(), wrong as never)).toThrow(message)
  })

  test('refuses options instead of the listener, with more arguments after them', () => {
    expect(() => attach(http.createServer(), {} as never, {})).toThrow(TypeError)
  })
})
