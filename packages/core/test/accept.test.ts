import { inspect } from 'node:util'
import { connectClient, handshake, headArrived, refused, sendRaw, takePrinted } from '@oneport/test-kit'
import type { WebSocket } from 'ws'
import { acceptHandshake, acceptWebSocket, checkHandshake, type HandshakeError } from '../src/index.ts'
import { acceptThrough, open, read, serve, stopAll } from './server.ts'

afterEach(stopAll)

const echo = (socket: WebSocket) => socket.on('message', (data) => socket.send(String(data)))

test('calls the handler in the same tick in which the 101 is written', async () => {
  const order: string[] = []
  const { target } = await serve((req, res) => {
    process.nextTick(() => order.push('next tick'))
    const accepted = acceptHandshake(req, res, undefined, () => void order.push('handler'))
    order.push('returned')
    return accepted.then((value) => order.push(`resolved ${value}`))
  })
  await connectClient(target, '/')
  expect(order).toEqual(
    ['handler', 'returned', 'resolved true', 'next tick'].sort((a, b) => order.indexOf(a) - order.indexOf(b))
  )
  expect(order.indexOf('handler')).toBe(0)
  expect(order).toContain('resolved true')
})

test("uses the attachment's defaults, with the endpoint's options taking precedence", async () => {
  const { target } = await serve(
    (req, res) =>
      req.url === '/own' ? acceptWebSocket(req, res, { subprotocols: ['own'] }, echo) : acceptWebSocket(req, res, echo),
    { subprotocols: ['default'], allowedOrigins: ['https://app.example'] }
  )
  expect((await connectClient(target, '/', ['own', 'default'])).socket.protocol).toBe('default')
  expect((await connectClient(target, '/own', ['own', 'default'])).socket.protocol).toBe('own')
  for (const path of ['/', '/own']) {
    expect((await sendRaw(target, handshake(path, { Origin: 'https://app.example' }), headArrived)).status).toBe(101)
    expect((await sendRaw(target, handshake(path, { Origin: 'http://app.example' }))).status).toBe(403)
  }
  takePrinted()
})

test('lets a function choose the subprotocol', async () => {
  const seen: (readonly string[])[] = []
  const { target } = await serve((req, res) =>
    acceptWebSocket(
      req,
      res,
      {
        subprotocols: (offered) => {
          seen.push(offered)
          return offered.at(-1)
        }
      },
      echo
    )
  )
  expect((await connectClient(target, '/', ['a', 'b'])).socket.protocol).toBe('b')
  expect((await connectClient(target, '/')).socket.protocol).toBe('')
  expect(seen).toEqual([['a', 'b'], []])
})

test('requires an Origin if the endpoint says so', async () => {
  const { target } = await serve((req, res) => acceptWebSocket(req, res, { requireOrigin: true }, echo))
  const response = await sendRaw(target, handshake('/'))
  expect(response.status).toBe(403)
  expect(response.rest).toBe('The header field "Origin" is required here.\n')
  expect((await sendRaw(target, handshake('/', { Origin: 'http://app.example' }), headArrived)).status).toBe(101)
  takePrinted()
})

test('tells the client its origin, and logs the host, the rule, and what to do', async () => {
  const { target } = await serve((req, res) => acceptWebSocket(req, res, echo))
  const response = await sendRaw(target, handshake('/', { Origin: 'http://localhost:5173', Host: 'localhost:3000' }))
  expect(response.rest).toBe('Origin "http://localhost:5173" is not allowed here.\n')
  expect(takePrinted()).toEqual([
    'oneport: HANDSHAKE_ORIGIN: origin "http://localhost:5173", effective host "localhost:3000", scheme unknown, ' +
      "allowed: 'same-origin'\n" +
      '    The page is on another port, so it has another origin. To allow it: ' +
      "allowedOrigins: ['same-origin', 'http://localhost:5173']\n" +
      '    If a dev server forwards its WebSockets, have it keep Host instead (Vite: changeOrigin: false)'
  ])
})

test('names the address of a proxy that effectiveRequest does not believe', async () => {
  const { target } = await serve((req, res) => acceptWebSocket(req, res, echo))
  await sendRaw(target, handshake('/', { Origin: 'https://public.example', 'X-Forwarded-Host': 'public.example' }))
  expect(takePrinted()).toEqual([
    expect.stringContaining('If it is yours: attach(server, { effectiveRequest }), which believes 127.0.0.1')
  ])
})

test('has everything the operator needs in a log that prints the whole refusal', async () => {
  const printed: string[] = []
  const { target } = await serve((req, res) => acceptWebSocket(req, res, echo), {
    onRefused: (error) => printed.push(inspect(error))
  })
  await sendRaw(target, handshake('/', { Origin: 'https://evil.example' }))
  expect(printed).toEqual([expect.stringContaining('effective host "app.example"')])
})

test('compares with the host that a trusted proxy names', async () => {
  const { target } = await serve((req, res) => acceptWebSocket(req, res, echo), {
    effectiveRequest: (req) => ({ host: String(req.headers['x-forwarded-host']), scheme: 'https' }),
    onRefused: () => {}
  })
  const status = async (Origin: string) =>
    (await sendRaw(target, handshake('/', { Origin, 'X-Forwarded-Host': 'public.example' }), headArrived)).status
  expect(await status('https://public.example')).toBe(101)
  expect(await status('http://public.example')).toBe(403)
  expect(await status('https://app.example')).toBe(403)
})

test('regression: a token in a malformed subprotocol list is not repeated in the answer or the log', async () => {
  const { target } = await serve((req, res) => acceptWebSocket(req, res, echo))
  const response = await sendRaw(target, handshake('/', { 'Sec-WebSocket-Protocol': 'bearer, se cret' }))
  expect(response.status).toBe(400)
  expect(response.text).not.toContain('cret')
})

test('says what is wrong with a call that lacks the request or the response', async () => {
  const call = async (...args: unknown[]) => (acceptWebSocket as (...given: unknown[]) => Promise<void>)(...args)
  const { target } = await serve((req, res) => {
    const calls = [call(), call(() => {}), call(req, () => {}), call(res, req, () => {})]
    return Promise.allSettled(calls).then((all) =>
      res.end(all.map((one) => String(one.status === 'rejected' && one.reason)).join('\n'))
    )
  })
  const expected = 'TypeError: acceptWebSocket: expected a request, its response, and options or a handler; got '
  expect((await sendRaw(target, handshake('/'))).rest.split('\n')).toEqual([
    `${expected}undefined and undefined`,
    `${expected}a function and undefined; call it in a route: (req, res) => acceptWebSocket(req, res, handler)`,
    `${expected}[object Object] and a function`,
    `${expected}[object Object] and [object Object]`
  ])
})

test.each(['upgrade', 'connection'])('refuses a handshake whose %s field middleware has removed', async (name) => {
  const { target } = await serve((req, res) => {
    delete req.headers[name]
    return acceptWebSocket(req, res, echo)
  })
  expect((await sendRaw(target, handshake('/'))).status).toBe(426)
})

test('passes on the options of ws, and refuses those that it sets itself', async () => {
  const { target } = await serve((req, res) => acceptWebSocket(req, res, { ws: { autoPong: false } }, echo))
  const { socket, next } = await connectClient(target, '/')
  let pongs = 0
  socket.on('pong', () => pongs++)
  socket.ping()
  socket.send('after the ping')
  await next()
  expect(pongs).toBe(0)
})

test('accepts messages of any size if maxPayloadBytes is Infinity', async () => {
  const { target } = await serve((req, res) =>
    acceptWebSocket(req, res, { maxPayloadBytes: Infinity }, (socket) =>
      socket.on('message', (data) => socket.send(String((data as Buffer).length)))
    )
  )
  const { socket, next } = await connectClient(target, '/')
  socket.send(Buffer.alloc(3_000_000))
  expect(await next()).toBe('3000000')
})

describe('checkHandshake', () => {
  test('throws the refusal of acceptWebSocket, and writes nothing', async () => {
    const codes: string[] = []
    const { target } = await serve(
      (req, res) => {
        try {
          return void res.end(checkHandshake(req, { subprotocols: ['chat'] }).subprotocol)
        } catch (error) {
          codes.push((error as HandshakeError).code)
          return void res.writeHead(418).end()
        }
      },
      { onRefused: () => {} }
    )
    expect((await sendRaw(target, handshake('/', { 'Sec-WebSocket-Protocol': 'chat' }))).rest).toContain('chat')
    expect((await sendRaw(target, handshake('/', { Origin: 'null' }))).status).toBe(418)
    expect((await sendRaw(target, handshake('/', { 'Sec-WebSocket-Version': '8' }))).status).toBe(418)
    expect(codes).toEqual(['HANDSHAKE_ORIGIN', 'HANDSHAKE_VERSION'])
  })
})

describe('acceptHandshake', () => {
  test('rejects before anything is written, so that the application can answer', async () => {
    const { target } = await serve(
      async (req, res) => {
        await acceptHandshake(req, res, undefined, echo).catch((error: HandshakeError) =>
          res.writeHead(error.status, { 'X-Code': error.code }).end()
        )
      },
      { onRefused: () => {} }
    )
    const response = await sendRaw(target, handshake('/', { Origin: 'null' }))
    expect(response.status).toBe(403)
    expect(response.fields.get('x-code')).toEqual(['HANDSHAKE_ORIGIN'])
  })

  test('resolves with false if the framework answers otherwise after all', async () => {
    const outcomes: boolean[] = []
    const { target } = await serve(async (req, res) => {
      outcomes.push(await acceptThrough(() => res.writeHead(503).end(), req, undefined, echo))
    })
    expect(await refused(connectClient(target, '/'))).toBe(503)
    expect(outcomes).toEqual([false])
  })
})

test('refuses a client that has gone, without a fault', async () => {
  let go = (): void => {}
  let settled: Promise<unknown> = Promise.resolve()
  const codes: string[] = []
  let arrive = (): void => {}
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve
  })
  const { target } = await serve(
    (req, res) => {
      settled = new Promise<void>((resolve) => {
        go = resolve
      }).then(() => acceptWebSocket(req, res, echo))
      res.once('close', go)
      arrive()
      return settled
    },
    { onRefused: (error) => codes.push(error.code) }
  )
  const raw = await open(target)
  raw.write(handshake('/'))
  await arrived
  raw.resetAndDestroy()
  await settled
  expect(codes).toEqual(['HANDSHAKE_ABORTED'])
})

test('accepts a client that has already closed its side, and closes the connection cleanly', async () => {
  const { target } = await serve((req, res) => acceptWebSocket(req, res, echo))
  const raw = await open(target)
  raw.end(handshake('/'))
  expect(await read(raw)).toMatch(/^HTTP\/1\.1 101 /)
})

describe('permessage-deflate', () => {
  const extensionsFor = async (offer: string) => {
    const { target } = await serve((req, res) => acceptWebSocket(req, res, { perMessageDeflate: true }, echo))
    const response = await sendRaw(target, handshake('/', { 'Sec-WebSocket-Extensions': offer }), headArrived)
    expect(response.status).toBe(101)
    return response.fields.get('sec-websocket-extensions')
  }

  test.each(['permessage-deflate', 'permessage-deflate,', 'x-other, permessage-deflate'])(
    'is agreed on if it is offered: %s',
    async (offer) => expect(await extensionsFor(offer)).toEqual(['permessage-deflate'])
  )

  test.each([
    'permessage-deflate; foo',
    'permessage-deflate; foo, permessage-deflate',
    'permessage-deflate; client_max_window_bits=99',
    'x-other'
  ])('is declined, not refused, if the offer cannot be accepted: %s', async (offer) =>
    expect(await extensionsFor(offer)).toBeUndefined()
  )
})

test('answers with the refusal even if onRefused throws, and reports that', async () => {
  const faults: string[] = []
  const { target } = await serve((req, res) => acceptWebSocket(req, res, echo), {
    onError: (error) => faults.push((error as Error).message),
    onRefused: () => {
      throw new Error('log is full')
    }
  })
  expect((await sendRaw(target, handshake('/', { Origin: 'null' }))).status).toBe(403)
  expect(faults).toEqual(['log is full'])
})

test('regression: a route that ignores the promise, and an option that throws, cannot be used to end the process', async () => {
  const unhandled: unknown[] = []
  const note = (reason: unknown) => void unhandled.push(reason)
  process.on('unhandledRejection', note)
  const faults: string[] = []
  const { target } = await serve(
    (req, res) => {
      const allowedOrigins = () => {
        throw new Error('origin list is gone')
      }
      void acceptWebSocket(req, res, { allowedOrigins }, echo)
    },
    { onError: (error) => faults.push((error as Error).message) }
  )
  expect((await sendRaw(target, handshake('/', { Origin: 'https://a.example' }))).status).toBe(500)
  await new Promise(setImmediate)
  process.off('unhandledRejection', note)
  expect(unhandled).toEqual([])
  expect(faults).toEqual(['origin list is gone'])
})
