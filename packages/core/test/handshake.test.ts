import http, { type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { closed, connectClient, handshake, headArrived, sendRaw, takePrinted } from '@oneport/test-kit'
import type { WebSocket } from 'ws'
import { acceptWebSocket, type Dispatch, type FaultContext, HandshakeError } from '../src/index.ts'
import { acceptThrough, open, read, serve, stopAll } from './server.ts'

afterEach(stopAll)

const echo = (socket: WebSocket) => socket.on('message', (data) => socket.send(String(data)))

/** Collects the errors passed to `onError`. */
function collectFaults() {
  const faults: [message: string, phase: FaultContext['phase']][] = []
  const onError = (error: unknown, { phase }: FaultContext) =>
    void faults.push([String((error as Error).message), phase])
  return { faults, onError }
}

describe('the response that writes the 101', () => {
  test('has every field that middleware set, in each form that writeHead accepts, except for those of the handshake', async () => {
    const { target } = await serve((req, res) => {
      res.setHeader('X-One', '1')
      res.appendHeader('Set-Cookie', 'a=1')
      res.appendHeader('Set-Cookie', 'b=2')
      res.setHeader('Content-Length', '5')
      res.setHeader('Transfer-Encoding', 'chunked')
      res.setHeader('Connection', 'keep-alive')
      res.setHeader('Sec-WebSocket-Accept', 'forged')
      res.setHeader('Sec-WebSocket-Protocol', 'forged')
      return acceptThrough(
        () => res.writeHead(101, 'Switching Protocols', { 'X-Two': 2, Upgrade: 'forged' }).end(),
        req,
        undefined,
        echo
      )
    })
    const response = await sendRaw(target, handshake('/'), headArrived)
    expect(Object.fromEntries(response.fields)).toEqual({
      'x-one': ['1'],
      'x-two': ['2'],
      'set-cookie': ['a=1', 'b=2'],
      upgrade: ['websocket'],
      connection: ['Upgrade'],
      'sec-websocket-accept': ['HSmrc0sMlYUkAGmm5OPpG2HaGWk='],
      date: [expect.any(String)]
    })
  })

  test.each([{ sets: 'nothing' }, { sets: 'a field' }])(
    'has the fields that a class passes to writeHead of Node, if the application sets $sets',
    async ({ sets }) => {
      class Response extends http.ServerResponse {
        override writeHead(status: number, ...rest: unknown[]): this {
          const reason = typeof rest[0] === 'string' ? rest[0] : undefined
          return super.writeHead(status, reason, { 'X-Class': ['1', '2'], Upgrade: 'forged' })
        }
      }
      const server = http.createServer({ ServerResponse: Response as typeof http.ServerResponse })
      const { target } = await serve(
        (req, res) => {
          if (sets === 'a field') res.setHeader('X-One', 'caf\xe9')
          return acceptWebSocket(req, res, echo)
        },
        {},
        server
      )
      const { fields } = await sendRaw(target, handshake('/'), headArrived)
      expect(fields.get('x-class')).toEqual(['1', '2'])
      expect(fields.get('upgrade')).toEqual(['websocket'])
      expect(fields.get('x-one')).toEqual(sets === 'a field' ? [expect.stringMatching(/^caf/)] : undefined)
    }
  )

  test.each(['a\r\nX-Evil: 1', 'a\nX-Evil: 1', 'a\0b'])('throws if a value with %j is set', async (value) => {
    const { faults, onError } = collectFaults()
    const { target } = await serve(
      (_req, res) => {
        res.setHeader('X-Value', value)
      },
      { onError }
    )
    const response = await sendRaw(target, handshake('/'))
    expect(response.status).toBe(500)
    expect(response.text).not.toContain('X-Evil')
    expect(faults).toEqual([[expect.stringContaining('Invalid character in header content'), 'dispatch']])
  })

  test('has the fields of the handshake for loggers, after those of the application', async () => {
    let names: string[] = []
    const { target } = await serve((req, res) => {
      res.setHeader('X-One', '1')
      res.on('finish', () => {
        names = res.getHeaderNames()
      })
      return acceptWebSocket(req, res, echo)
    })
    const { socket, next } = await connectClient(target, '/')
    socket.send('a')
    await next()
    expect(names).toEqual(['x-one', 'upgrade', 'connection', 'sec-websocket-accept'])
  })

  test('is finished after it: nothing that the application still writes is sent', async () => {
    let response: ServerResponse | undefined
    const events: string[] = []
    const { target } = await serve((req, res) => {
      response = res
      for (const event of ['finish', 'close', 'error']) res.on(event, () => events.push(event))
      return acceptWebSocket(req, res, echo)
    })
    const { socket, next } = await connectClient(target, '/')
    expect(response).toMatchObject({ headersSent: true, writableEnded: true, statusCode: 101, destroyed: true })
    expect(() => response?.setHeader('X-Late', '1')).toThrow(/after they are sent/)
    expect(() => response?.writeHead(500)).toThrow(/after they are sent/)
    response?.write('late')
    response?.end('late')
    response?.destroy()
    socket.send('whole')
    expect(await next()).toBe('whole')
    expect(events).toEqual(['finish', 'close'])
  })

  test('regression: req.socket was a Proxy; now it is the socket of the connection, for code that uses it as a key', async () => {
    const known = new WeakMap<object, string>()
    const server = http.createServer().on('connection', (socket) => known.set(socket, 'known'))
    const { target } = await serve(
      (req, res) => {
        const before = known.get(req.socket)
        return acceptWebSocket(req, res, (socket, { socket: raw }) => socket.send(`${before} ${known.get(raw)}`))
      },
      {},
      server
    )
    expect(await (await connectClient(target, '/')).next()).toBe('known known')
  })

  test('survives an error page that ends the connection after a response has begun', async () => {
    const { target } = await serve((req, res) => {
      void acceptWebSocket(req, res, (socket) => socket.on('message', (data) => socket.send(data)))
      // As finalhandler does for Express.
      if (res.headersSent) req.socket.destroy()
    })
    const { socket, next } = await connectClient(target, '/')
    socket.send('alive')
    expect(await next()).toBe('alive')
  })

  test('can be ended by code that keeps the raw sockets of a server', async () => {
    const sockets = new Set<Socket>()
    const server = http.createServer().on('connection', (socket) => sockets.add(socket))
    const { target } = await serve((req, res) => acceptWebSocket(req, res, () => {}), {}, server)
    const end = closed((await connectClient(target, '/')).socket)
    for (const socket of sockets) socket.destroy()
    expect((await end).code).toBe(1006)
  })

  test('regression: a 101 after res.cork() was never sent', async () => {
    const { target } = await serve((req, res) => {
      res.cork()
      void acceptWebSocket(req, res, (socket) => socket.send('hello'))
      res.uncork()
    })
    expect(await (await connectClient(target, '/')).next()).toBe('hello')
  })

  test('regression: the fields of an answer were lost after a writeHead that Node rejected', async () => {
    const { target } = await serve((_req, res) => {
      expect(() => res.writeHead(9999)).toThrow('Invalid status code: 9999')
      res.writeHead(403, { 'Content-Type': 'text/html', 'X-A': '1', 'Content-Length': 2 })
      res.end('no')
    })
    const { text } = await sendRaw(target, handshake('/'))
    expect(text).toMatch(/^HTTP\/1\.1 403 .*Content-Type: text\/html.*X-A: 1.*Content-Length: 2.*no$/s)
  })

  test('leaves a raw socket whose write was wrapped as it was', async () => {
    let written = ''
    const { target } = await serve((req, res) => {
      const rawSocket = req.socket
      const write = rawSocket.write.bind(rawSocket)
      rawSocket.write = (chunk: string | Uint8Array, ...rest: unknown[]) => {
        written += String(chunk)
        return write(chunk, ...(rest as []))
      }
      return acceptWebSocket(req, res, (socket) => {
        written += Object.hasOwn(rawSocket, 'write') ? '|wrapped|' : '|lost|'
        socket.send('hello')
      })
    })
    await (await connectClient(target, '/')).next()
    expect(written.match(/HTTP\/1\.1 101/g)).toHaveLength(1)
    expect(written).toContain('|wrapped|')
  })
})

describe('any other status', () => {
  const bodies: [string, (res: ServerResponse) => void][] = [
    ['fields', (res) => res.writeHead(401, { 'WWW-Authenticate': 'Bearer', Connection: 'keep-alive' }).end('no')],
    ['a reason and fields', (res) => res.writeHead(401, 'Who', { 'WWW-Authenticate': 'Bearer' }).end('no')],
    ['a flat list', (res) => res.writeHead(401, ['WWW-Authenticate', 'Bearer']).end('no')],
    ['pairs', (res) => res.writeHead(401, [['WWW-Authenticate', 'Bearer']] as never).end('no')],
    [
      'fields, for a connection that stays',
      (res) => Object.assign(res, { shouldKeepAlive: true }).writeHead(401, { 'WWW-Authenticate': 'Bearer' }).end('no')
    ],
    [
      'fields, without Connection',
      (res) => {
        res.removeHeader('Connection')
        res.writeHead(401, { 'WWW-Authenticate': 'Bearer' }).end('no')
      }
    ],
    ['setHeader before', (res) => res.setHeader('WWW-Authenticate', 'Bearer').writeHead(401).end('no')],
    ['end alone', (res) => Object.assign(res.setHeader('WWW-Authenticate', 'Bearer'), { statusCode: 401 }).end('no')]
  ]
  test.each(bodies)('is an ordinary response that ends the connection: %s', async (_form, answer) => {
    const { target } = await serve((_req, res) => answer(res))
    const response = await sendRaw(target, handshake('/'))
    expect(response.status).toBe(401)
    expect(response.fields.get('www-authenticate')).toEqual(['Bearer'])
    expect(response.fields.get('connection')).toEqual(['close'])
    expect(response.rest).toMatch(/no/)
  })

  test('keeps its reason phrase', async () => {
    const { target } = await serve((_req, res) => res.writeHead(403, 'Not You').end())
    expect((await sendRaw(target, handshake('/'))).text).toMatch(/^HTTP\/1\.1 403 Not You\r\n/)
  })

  test('may follow early hints, which leave the handshake open', async () => {
    const { target } = await serve((req, res) => {
      res.writeEarlyHints({ link: '</style.css>; rel=preload' })
      return acceptWebSocket(req, res, echo)
    })
    const raw = await open(target)
    raw.write(handshake('/'))
    expect(await read(raw, (text) => text.includes(' 101 '))).toMatch(/^HTTP\/1\.1 103 .*HTTP\/1\.1 101 /s)
  })

  test('may have a field Upgrade, which it names in Connection', async () => {
    const { target } = await serve((_req, res) => res.writeHead(426, { Upgrade: 'foo/2' }).end())
    const response = await sendRaw(target, handshake('/'))
    expect(response.fields.get('connection')).toEqual(['close, Upgrade'])
  })
})

describe('a mistake of the application:', () => {
  test('101 written by hand is a fault that says what to call', async () => {
    const { faults, onError } = collectFaults()
    const { target } = await serve((_req, res) => res.writeHead(101).end(), { onError })
    expect((await sendRaw(target, handshake('/'))).status).toBe(500)
    expect(faults).toEqual([['Status 101 was written by hand; call acceptWebSocket() instead.', 'dispatch']])
  })

  test('acceptWebSocket called twice does not affect the first connection', async () => {
    const { faults, onError } = collectFaults()
    const twice: Dispatch = async (req, res) => {
      await acceptWebSocket(req, res, echo)
      await acceptWebSocket(req, res, echo)
    }
    const { target } = await serve(twice, { onError })
    const { socket, next } = await connectClient(target, '/')
    socket.send('hello')
    expect(await next()).toBe('hello')
    expect(faults).toEqual([['acceptWebSocket() was called twice for one request.', 'dispatch']])
  })

  test('acceptWebSocket after an answer says with which status that began', async () => {
    const { faults, onError } = collectFaults()
    const { target } = await serve(
      (req, res) => {
        res.writeHead(200).end('done')
        return acceptWebSocket(req, res, echo)
      },
      { onError }
    )
    expect((await sendRaw(target, handshake('/'))).status).toBe(200)
    expect(faults).toEqual([
      ['acceptWebSocket() was called after the response had started with status 200.', 'dispatch']
    ])
  })

  test('a listener that throws, or rejects, gives a 500 that does not mention the fault', async () => {
    const { faults, onError } = collectFaults()
    const { target } = await serve(
      (req) => {
        if (req.url === '/throws') throw new Error('secret')
        return Promise.reject(new Error('secret'))
      },
      { onError }
    )
    for (const path of ['/throws', '/rejects']) {
      const response = await sendRaw(target, handshake(path))
      expect(response.status).toBe(500)
      expect(response.text).not.toContain('secret')
    }
    expect(faults).toEqual([1, 2].map(() => ['secret', 'dispatch']))
  })

  test('a listener that rejects cuts an unfinished answer, and leaves a finished one intact', async () => {
    const { onError } = collectFaults()
    const { target } = await serve(
      async (req, res) => {
        res.writeHead(200, { 'Content-Length': 10 })
        res.write('half')
        if (req.url === '/whole') res.end('+whole')
        throw new Error('late')
      },
      { onError }
    )
    expect((await sendRaw(target, handshake('/half'))).rest).toMatch(/^(half)?$/)
    expect((await sendRaw(target, handshake('/whole'))).rest).toBe('half+whole')
  })

  test('a listener that throws a HandshakeError refuses with it', async () => {
    const { target } = await serve(() => {
      throw new HandshakeError('HANDSHAKE_ORIGIN', 'Not from there.')
    })
    const response = await sendRaw(target, handshake('/'))
    expect(response.status).toBe(403)
    expect(response.rest).toBe('Not from there.\n')
  })

  test('no handler, a wrong option and a subprotocol that was not offered are faults, not refusals', async () => {
    const { faults, onError } = collectFaults()
    const { target } = await serve(
      (req, res) => {
        if (req.url === '/handler') return acceptWebSocket(req, res, undefined as never)
        if (req.url === '/option') return acceptWebSocket(req, res, { requireOrigin: 1 as never }, echo)
        return acceptWebSocket(req, res, { subprotocols: () => 'other' }, echo)
      },
      { onError }
    )
    for (const path of ['/handler', '/option', '/subprotocol']) {
      expect((await sendRaw(target, handshake(path, { 'Sec-WebSocket-Protocol': 'chat' }))).status).toBe(500)
    }
    expect(faults.map(([message]) => message)).toEqual([
      'acceptWebSocket: expected a handler (socket, req) => …; got undefined',
      'acceptWebSocket: requireOrigin: expected a boolean; got 1',
      'acceptWebSocket: subprotocols: the function must return one of the offered names, or undefined'
    ])
  })

  test('the default onError writes to stderr, and an onError that throws is contained', async () => {
    const broken = (socket: WebSocket) => {
      socket.close()
      throw new Error('broken')
    }
    const first = await serve((req, res) => acceptWebSocket(req, res, broken))
    await (await open(first.target)).write(handshake('/'))
    await sendRaw(first.target, handshake('/'), (text) => text.includes('\x88'))
    const printed = takePrinted()
    expect(printed[0]).toMatch(/^oneport: fault in handler at "\/": Error: broken\n {4}at /)
    expect(printed[0]).not.toMatch(/\n(?! {4}at )/)
    const second = await serve((req, res) => acceptWebSocket(req, res, broken), {
      onError: () => {
        throw new Error('worse')
      }
    })
    await sendRaw(second.target, handshake('/'), (text) => text.includes('\x88'))
    expect(takePrinted().join()).toMatch(/broken.*worse/s)
  })
})
