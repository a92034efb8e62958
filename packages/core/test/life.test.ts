import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { closed, connectClient, handshake, headArrived, refused, sendRaw, signal, type Target } from '@oneport/test-kit'
import type { WebSocket } from 'ws'
import { type AttachOptions, acceptWebSocket, type HandshakeError } from '../src/index.ts'
import { pieceLimits } from '../src/life/open-socket.ts'
import { acceptThrough, open, read, serve, stopAll } from './server.ts'

afterEach(stopAll)

const echo = (socket: WebSocket) => socket.on('message', (data) => socket.send(String(data)))
const accept = (req: IncomingMessage, res: ServerResponse) => acceptWebSocket(req, res, echo)

/** Options that collect the codes of refusals. */
function collect(options: AttachOptions) {
  const codes: string[] = []
  return { codes, options: { ...options, onRefused: (error: HandshakeError) => void codes.push(error.code) } }
}

describe('a handshake that the application does not answer', () => {
  test('gets 503 at its deadline, and the connection is closed', async () => {
    const { codes, options } = collect({ handshakeTimeoutMs: 50 })
    const { target } = await serve(() => new Promise(() => {}), options)
    const response = await sendRaw(target, handshake('/'))
    expect(response.status).toBe(503)
    expect(response.fields.get('retry-after')).toEqual(['5'])
    expect(codes).toEqual(['HANDSHAKE_TIMEOUT'])
  })

  test('can no longer be accepted when the application is late', async () => {
    const { codes, options } = collect({ handshakeTimeoutMs: 50 })
    let late: Promise<void> | undefined
    const faults: string[] = []
    const { target } = await serve(
      (req, res) => {
        late = new Promise<void>((resolve) => res.once('close', resolve)).then(() => accept(req, res))
        return late
      },
      { ...options, onError: (error) => void faults.push((error as Error).message) }
    )
    expect((await sendRaw(target, handshake('/'))).status).toBe(503)
    await late
    expect(codes[0]).toBe('HANDSHAKE_TIMEOUT')
    expect(faults).toEqual(['acceptWebSocket() was called after the response had started with status 503.'])
  })

  test('leaves the application a usable response, so that a late answer does not throw', async () => {
    const { options } = collect({ handshakeTimeoutMs: 50 })
    let late: Promise<void> | undefined
    const { target } = await serve((_req, res) => {
      late = new Promise<void>((resolve) => res.once('close', resolve)).then(() => {
        res.setHeader('X-Late', '1')
        res.writeHead(200)
        res.write('late')
        res.end('late')
      })
    }, options)
    const response = await sendRaw(target, handshake('/'))
    await late
    expect(response.status).toBe(503)
    expect(response.fields.get('connection')).toEqual(['close'])
    expect(response.text).not.toContain('late')
  })

  test('is one of 500 that are all gone at the deadline, and no place is lost', async () => {
    const { codes, options } = collect({
      handshakeTimeoutMs: 300,
      maxPendingHandshakes: 500,
      maxPendingHandshakesPerAddress: 500
    })
    let stalled = 0
    const { target, server } = await serve((req, res) => {
      if (req.url === '/stall') return void stalled++
      return accept(req, res)
    }, options)
    const raws = await Promise.all(Array.from({ length: 500 }, () => open(target)))
    const ends = Promise.all(raws.map((raw) => read(raw)))
    for (const raw of raws) raw.write(handshake('/stall'))
    const answers = await ends
    expect(stalled).toBe(500)
    expect(new Set(answers.map((text) => text.slice(0, 12)))).toEqual(new Set(['HTTP/1.1 503']))
    expect(codes).toHaveLength(500)
    const again = await Promise.all(Array.from({ length: 20 }, () => connectClient(target, '/')))
    for (const { socket } of again) socket.terminate()
    expect(server.listening).toBe(true)
  })

  test('counts towards the limit; more handshakes get 503 at once', async () => {
    const { codes, options } = collect({ maxPendingHandshakes: 2, maxPendingHandshakesPerAddress: 2 })
    const waiting: ServerResponse[] = []
    let arrive = (): void => {}
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve
    })
    const { target } = await serve((req, res) => {
      if (req.url === '/') return accept(req, res)
      if (waiting.push(res) === 2) arrive()
      return undefined
    }, options)
    const raws = [await open(target), await open(target)]
    for (const raw of raws) raw.write(handshake('/wait'))
    await arrived
    expect(await refused(connectClient(target, '/'))).toBe(503)
    expect(codes).toEqual(['HANDSHAKE_UNAVAILABLE'])
    for (const res of waiting) res.writeHead(403).end()
    await Promise.all(raws.map((raw) => read(raw)))
    await connectClient(target, '/')
  })
})

test('cuts a refusal whose client does not read it', async () => {
  let connection: IncomingMessage['socket'] | undefined
  const { target } = await serve(
    (req, res) => {
      connection = req.socket
      res.writeHead(403).end(Buffer.alloc(32 * 1024 * 1024))
    },
    { handshakeTimeoutMs: 50 }
  )
  const raw = await open(target)
  raw.pause()
  raw.write(handshake('/'))
  while (connection === undefined) await new Promise(setImmediate)
  await new Promise((resolve) => connection?.once('close', resolve))
})

describe('limits', () => {
  test('of all connections: 503 with Retry-After, and a free place after each way to end one', async () => {
    const { codes, options } = collect({ maxConnections: 1 })
    const { target, attachment } = await serve(accept, options)
    const waysOut: ((socket: WebSocket) => void)[] = [
      (socket) => socket.close(),
      (socket) => socket.terminate(),
      (socket) => (socket as unknown as { _socket: import('node:net').Socket })._socket.resetAndDestroy(),
      (socket) => socket.send(Buffer.alloc(2_000_000))
    ]
    for (const leave of waysOut) {
      const { socket } = await connectClient(target, '/')
      expect(await refused(connectClient(target, '/'))).toBe(503)
      const [connection] = attachment.connections as Set<WebSocket>
      connection?.on('error', () => {})
      const gone = new Promise((resolve) => connection?.once('close', resolve))
      leave(socket)
      await gone
    }
    expect(new Set(codes)).toEqual(new Set(['HANDSHAKE_UNAVAILABLE']))
  })

  test('of one address: 429, while another address is accepted', async () => {
    const { codes, options } = collect({
      maxConnectionsPerAddress: 1,
      effectiveRequest: (req) => ({ host: 'a', address: String(req.headers['x-client']) })
    })
    const { target } = await serve(accept, options)
    const from = (address: string) => connectClient(target, '/', [], { headers: { 'X-Client': address } })
    await from('192.0.2.1')
    expect(await refused(from('192.0.2.1'))).toBe(429)
    await from('192.0.2.2')
    expect(codes).toEqual(['HANDSHAKE_TOO_MANY'])
  })

  test('lose no place to a 101 that cannot be written after all', async () => {
    const { target } = await serve(
      (req, res) => {
        if (req.url === '/') return accept(req, res)
        const { getHeader } = res
        const send = () =>
          setImmediate(() => {
            res.setHeader('X-Request-Id', '1')
            res.getHeader = () => {
              throw new Error('broken by middleware')
            }
            expect(() => res.writeHead(101)).toThrow('broken by middleware')
            res.getHeader = getHeader
            res.writeHead(500).end()
          })
        return acceptThrough(send, req, undefined, echo)
      },
      { maxConnections: 1 }
    )
    expect(await refused(connectClient(target, '/broken'))).toBe(500)
    await connectClient(target, '/')
  })

  test('lose no place, and nothing throws, if the client has just gone when the 101 is due', async () => {
    const outcomes: unknown[] = []
    const { target } = await serve(
      async (req, res) => {
        if (req.url === '/') return accept(req, res)
        const send = () => {
          req.socket.destroy()
          res.writeHead(101).end()
        }
        outcomes.push(await acceptThrough(send, req, undefined, echo))
      },
      { maxConnections: 1 }
    )
    await sendRaw(target, handshake('/gone'))
    await connectClient(target, '/')
    expect(outcomes).toEqual([false])
  })

  test('lose no place to a client that leaves before the framework has sent its 101', async () => {
    const { codes, options } = collect({ maxConnections: 1 })
    const { target } = await serve(async (req, res) => {
      if (req.url === '/') return accept(req, res)
      return acceptThrough(() => {}, req, undefined, echo)
    }, options)
    const raw = await open(target)
    raw.write(handshake('/never-sent'))
    while ((await refused(connectClient(target, '/')).catch(() => 101)) !== 503) await new Promise(setImmediate)
    raw.resetAndDestroy()
    while ((await refused(connectClient(target, '/')).catch(() => 101)) === 503) await new Promise(setImmediate)
    expect(codes).toContain('HANDSHAKE_UNAVAILABLE')
  })
})

describe('the place of a connection', () => {
  const afterwards = async (target: Target) => {
    const { socket } = await connectClient(target, '/')
    const end = closed(socket)
    socket.close()
    return (await end).code
  }

  test('is taken once if the application accepts twice', async () => {
    const accepts = (req: IncomingMessage, res: ServerResponse) => {
      void accept(req, res)
      return accept(req, res)
    }
    const { target } = await serve(accepts, { maxConnections: 2, onError: () => {} })
    for (let round = 0; round < 3; round++) expect(await afterwards(target)).toBe(1005)
  })

  test('is freed if getting the id of the request throws', async () => {
    const binding = {
      get requestId(): string {
        throw new Error('no id')
      }
    }
    const { target } = await serve(
      (req, res) =>
        req.url === '/'
          ? accept(req, res)
          : void acceptThrough(() => {}, req, undefined, echo, binding).catch(() => res.writeHead(500).end()),
      { maxConnections: 1 }
    )
    expect((await sendRaw(target, handshake('/broken'))).status).toBe(500)
    expect(await afterwards(target)).toBe(1005)
  })

  test('is freed once if the 101 is written at the second attempt', async () => {
    const { codes, options } = collect({ maxConnections: 1 })
    const { target } = await serve(async (req, res) => {
      if (req.url === '/') return accept(req, res)
      const send = () => {
        throw new Error('broken by a hook')
      }
      await expect(acceptThrough(send, req, undefined, echo)).rejects.toThrow('broken by a hook')
      return res.writeHead(101).end()
    }, options)
    const { socket } = await connectClient(target, '/again')
    const end = closed(socket)
    socket.close()
    await end
    await connectClient(target, '/')
    expect(await refused(connectClient(target, '/'))).toBe(503)
    expect(codes).toEqual(['HANDSHAKE_UNAVAILABLE'])
  })

  test('is freed after a connection whose listeners the application has removed', async () => {
    const leave = (socket: WebSocket) =>
      socket.on('message', () => {
        socket.removeAllListeners()
        socket.terminate()
      })
    const { target, attachment } = await serve((req, res) => acceptWebSocket(req, res, leave), { maxConnections: 1 })
    for (let round = 0; round < 3; round++) {
      const { socket } = await connectClient(target, '/')
      const end = closed(socket)
      socket.send('leave')
      await end
      expect(attachment.stats().open).toBe(0)
    }
  })
})

describe('a fragmented message', () => {
  test.each([
    [1, 4_096, 8_192],
    [1_048_576, 4_096, 8_192],
    [2_097_153, 8_193, 16_385],
    [33_554_432, 16_384, 262_144],
    [Infinity, 16_384, 262_144]
  ])('of at most %d bytes may have %d fragments and %d reads', (maxPayloadBytes, maxFragments, maxBufferedChunks) => {
    expect(pieceLimits(maxPayloadBytes)).toEqual({ maxFragments, maxBufferedChunks })
  })

  const fragment = (opcode: number) => Buffer.from([opcode, 0x81, 0, 0, 0, 0, 0x61])

  test('in more fragments closes the connection with 1008', async () => {
    const { target } = await serve(accept, { onError: () => {} })
    const raw = await open(target)
    raw.write(handshake('/'))
    await read(raw, headArrived)
    raw.write(Buffer.concat([fragment(0x01), ...Array.from({ length: 4_096 }, () => fragment(0x00))]))
    expect(await read(raw)).toContain(`\x03\xf0`)
  })

  test('may have other limits through the options of ws', async () => {
    const { target } = await serve(accept, { onError: () => {}, ws: { maxFragments: 2 } })
    const raw = await open(target)
    raw.write(handshake('/'))
    await read(raw, headArrived)
    raw.write(Buffer.concat([fragment(0x01), fragment(0x00), fragment(0x00)]))
    expect(await read(raw)).toContain(`\x03\xf0`)
  })
})

describe('the heartbeat', () => {
  test('pings a silent client and terminates one that does not answer', async () => {
    const { target, attachment } = await serve(accept, { heartbeat: { intervalMs: 40, timeoutMs: 500 } })
    const alive = await connectClient(target, '/')
    const raw = await open(target)
    raw.write(handshake('/'))
    await read(raw, headArrived)
    expect(attachment.connections.size).toBe(2)
    expect((await read(raw)).startsWith('\x89\x00')).toBe(true)
    await once(alive.socket, 'ping')
    while (attachment.connections.size > 1) await new Promise(setImmediate)
    alive.socket.send('still here')
    expect(await alive.next()).toBe('still here')
  })

  test('can be turned off', async () => {
    const { target } = await serve(accept, { heartbeat: false })
    const { socket } = await connectClient(target, '/')
    expect(socket.readyState).toBe(socket.OPEN)
  })
})

describe('server.close()', () => {
  test('closes open connections with 1001 and finishes', async () => {
    const { target, server } = await serve(accept)
    const clients = await Promise.all([1, 2, 3].map(() => connectClient(target, '/')))
    const ends = Promise.all(clients.map(({ socket }) => closed(socket)))
    await once(server.close(), 'close')
    expect((await ends).map(({ code }) => code)).toEqual([1001, 1001, 1001])
  })

  test('refuses a handshake that is waiting, even if no connection is open', async () => {
    let go = (): void => {}
    const gone = new Promise<void>((resolve) => {
      go = resolve
    })
    let arrive = (): void => {}
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve
    })
    const { target, server, attachment } = await serve(async (req, res) => {
      arrive()
      await gone
      await accept(req, res)
    })
    const raw = await open(target)
    raw.write(handshake('/'))
    await arrived
    const finished = once(server.close(), 'close')
    while (!attachment.stats().draining) await new Promise(setImmediate)
    go()
    expect(await read(raw)).toMatch(/^HTTP\/1\.1 503 /)
    await finished
  })

  test('regression: a drain() before the server listened was forgotten when it did', async () => {
    const { server, attachment, target } = await serve(accept)
    await once(server.close(), 'close')
    await attachment.drain()
    await once(server.listen(target.port, '127.0.0.1'), 'listening')
    expect((await sendRaw(target, handshake('/'))).status).toBe(503)
  })

  test('can be followed by another listen() even if drain() was called first', async () => {
    const { target, server, attachment } = await serve(accept)
    await attachment.drain()
    await once(server.close(), 'close')
    await once(server.listen(target.port, '127.0.0.1'), 'listening')
    await connectClient(target, '/')
  })

  test('can be followed by another listen(), and handshakes are accepted again', async () => {
    const { target, server } = await serve(accept)
    await connectClient(target, '/')
    await once(server.close(), 'close')
    await once(server.listen(target.port, '127.0.0.1'), 'listening')
    const { socket, next } = await connectClient(target, '/')
    socket.send('again')
    expect(await next()).toBe('again')
  })
})

test('the timeouts of HTTP do not affect an accepted connection', async () => {
  const { target, server } = await serve(accept)
  server.requestTimeout = 40
  server.headersTimeout = 40
  server.keepAliveTimeout = 40
  server.timeout = 40
  const raw = await open(target)
  raw.write('GET /plain HTTP/1.1\r\nHost: a\r\n\r\n')
  await read(raw, (text) => text.includes('WebSocket endpoint'))
  raw.write(handshake('/'))
  await read(raw, headArrived)
  const idle = await open(target)
  // The same timeouts close a connection that was never accepted, so they have expired by now.
  await read(idle)
  raw.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]))
  expect(await read(raw, (text) => text.endsWith('hi'))).toBe('\x81\x02hi')
})

describe('coalesce', () => {
  /** How often the server writes to its raw socket when it answers eight messages that arrive in one chunk. */
  async function writesFor(options: AttachOptions, listener: (socket: WebSocket) => unknown): Promise<number> {
    const { target, server } = await serve((req, res) => acceptWebSocket(req, res, listener), options)
    const connected = once(server, 'connection')
    const raw = await open(target)
    const [rawSocket] = (await connected) as [Socket]
    raw.write(handshake('/'))
    await read(raw, headArrived)
    const writes = jest.spyOn(rawSocket, '_writev' as never)
    raw.write(Buffer.concat(Array.from({ length: 8 }, (_none, index) => frameOf(String(index)))))
    const text = await read(raw, (all) => all.includes('\x81\x017'))
    expect(text).toBe(Array.from({ length: 8 }, (_none, index) => `\x81\x01${index}`).join(''))
    return writes.mock.calls.length
  }
  const frameOf = (text: string) => Buffer.from([0x81, 0x81, 0, 0, 0, 0, text.charCodeAt(0)])

  test('sends the answers to messages that arrive together in one write, in order', async () => {
    expect(await writesFor({}, echo)).toBe(1)
  })

  test('can be turned off: one write for each', async () => {
    expect(await writesFor({ coalesce: false }, echo)).toBe(8)
  })

  test('holds nothing back if a listener throws', async () => {
    const { target } = await serve(
      (req, res) =>
        acceptWebSocket(req, res, (socket) =>
          socket.on('message', (data) => {
            socket.send(String(data))
            throw new Error('broken')
          })
        ),
      { onError: () => {} }
    )
    const { socket, next } = await connectClient(target, '/')
    const end = closed(socket)
    socket.send('hello')
    expect(await next()).toBe('hello')
    expect((await end).code).toBe(1011)
  })

  test('holds nothing back if a listener pauses, closes, or terminates', async () => {
    const { target } = await serve((req, res) =>
      acceptWebSocket(req, res, (socket) =>
        socket.on('message', (data) => {
          socket.send(`got ${data}`)
          if (String(data) === 'pause') socket.pause()
          else socket.close(4000)
        })
      )
    )
    for (const text of ['pause', 'close']) {
      const { socket, next } = await connectClient(target, '/')
      socket.send(text)
      expect(await next()).toBe(`got ${text}`)
      socket.terminate()
    }
  })
})

test('attachment.connections has a socket in its handler, and not in its close listeners', async () => {
  const moments: [moment: string, isIn: boolean][] = []
  const ended = signal()
  const { target, attachment } = await serve((req, res) =>
    acceptWebSocket(req, res, (socket) => {
      const see = (moment: string) => void moments.push([moment, attachment.connections.has(socket)])
      see('handler')
      socket.on('close', () => see('early close listener'))
      socket.once('message', () => {
        socket.on('close', () => see('late close listener'))
        socket.on('close', () => ended.give())
      })
    })
  )
  const { socket } = await connectClient(target, '/')
  socket.send('hello')
  socket.close()
  await ended.given
  expect(moments).toEqual([
    ['handler', true],
    ['early close listener', false],
    ['late close listener', false]
  ])
})
