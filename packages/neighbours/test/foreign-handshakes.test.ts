import { once } from 'node:events'
import { type IncomingMessage, type Server, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { TLSSocket } from 'node:tls'
import { handshake, headArrived, openRaw, sendRaw, signal, type Target } from '@oneport/test-kit'
import { Server as SocketIo } from 'socket.io'
import { WebSocketServer } from 'ws'
import { Application, converse } from '../src/application.ts'
import { type Arrangement, alone, aloneOverTls, shared, sharedOverTls, table } from './arrangements.ts'
import { type Client, connect, endClients, liveThrough } from './conversations.ts'
import { framesBack } from './frames.ts'
import { endServers, type SharedServer, share } from './shared-server.ts'
import { within } from './within.ts'

afterEach(async () => {
  endClients()
  await endServers()
})

type Upgrade = [req: IncomingMessage, socket: Socket, head: Buffer]

/** A listener that accepts `/theirs` and leaves other paths alone. */
class Neighbour {
  readonly #take: (...upgrade: Upgrade) => void
  readonly #moment = signal()
  readonly #asked = signal()
  readonly #isLate: boolean
  /** Resolves when the neighbour has got a handshake of its own. */
  readonly asked = this.#asked.given
  socket: Socket | undefined
  /** Whether `req.socket` was the raw socket when the neighbour accepted the handshake. */
  isSame: boolean | undefined

  constructor(take: (...upgrade: Upgrade) => void, when: 'at once' | 'late') {
    this.#take = take
    this.#isLate = when === 'late'
  }

  readonly join = (server: Server): void => {
    server.on('upgrade', (req: IncomingMessage, socket: Socket, head: Buffer) => {
      if (req.url !== '/theirs') return
      const before = socket
      socket.on('error', () => {})
      this.#asked.give()
      const take = (): void => {
        this.socket = before
        this.isSame = req.socket === before
        this.#take(req, socket, head)
      }
      if (this.#isLate) void this.#moment.given.then(take)
      else take()
    })
  }

  goOn(): void {
    this.#moment.give()
  }
}

/** Accepts with a server of `ws`. */
function accept(...[req, socket, head]: Upgrade): void {
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false })
  server.handleUpgrade(req, socket, head, (webSocket) => converse(webSocket, 'theirs'))
}

/** Like @fastify/websocket, @fastify/http-proxy and tinyws. */
function assignAndAccept(...[req, socket, head]: Upgrade): void {
  const res = new ServerResponse(req)
  res.assignSocket(socket)
  accept(req, socket, head)
}

/** Without a library: echoes all bytes. */
function echo(...[, socket, head]: Upgrade): void {
  socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
  socket.unshift(head)
  socket.pipe(socket)
}

const ways: readonly [name: string, take: (...upgrade: Upgrade) => void, when: 'at once' | 'late'][] = [
  ['accepts at once', accept, 'at once'],
  ['accepts late', accept, 'late'],
  ['assigns a response and accepts at once', assignAndAccept, 'at once'],
  ['assigns a response and accepts late', assignAndAccept, 'late']
]

/** Connects to `/theirs`. The neighbour answers after our application, if ours is asked at all. */
async function connectTheirs(server: SharedServer, neighbour: Neighbour): Promise<Client> {
  const connecting = connect(server, '/theirs')
  connecting.catch(() => {})
  await letDecide(server, neighbour)
  return connecting
}

async function letDecide(server: SharedServer, neighbour: Neighbour): Promise<void> {
  await within('the neighbour gets the handshake', neighbour.asked)
  // Our application is asked in the same turn of the event loop, and answers in it.
  for (let turn = 0; turn < 5; turn++) await setImmediate()
  expect(server.attachment?.stats().accepted ?? 0).toBe(0)
  neighbour.goOn()
}

/** Describes a raw socket as others see it. */
function describeSocket(socket: Socket): object {
  const listeners = socket.eventNames().map((name) => [String(name), socket.listenerCount(name)])
  return {
    own: Reflect.ownKeys(socket).map(String).sort(),
    listeners: Object.fromEntries(listeners.sort()),
    methods: ['write', 'end', 'destroy', 'destroySoon', 'unshift', 'on', 'pipe', 'setTimeout'].filter((name) =>
      Object.hasOwn(socket, name)
    ),
    prototype: Object.getPrototypeOf(socket) === (socket instanceof TLSSocket ? TLSSocket : Socket).prototype,
    timeout: socket.timeout,
    flowing: socket.readableFlowing,
    corked: socket.writableCorked
  }
}

/** The raw socket that a neighbour has accepted, while its connection is in use. */
async function takenSocket(arrangement: Arrangement, [, take, when]: (typeof ways)[number]): Promise<object> {
  const neighbour = new Neighbour(take, when)
  const server = await share(arrangement, neighbour.join)
  const client = await connectTheirs(server, neighbour)
  expect(await client.next()).toBe('theirs')
  await client.exchange(['used'])
  expect(neighbour.isSame).toBe(true)
  expect(neighbour.socket).toBe(server.rawSockets[0])
  return describeSocket(neighbour.socket as Socket)
}

const answer = 'HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 4\r\n\r\nno.\n'

const refusals: readonly [string, (...upgrade: Upgrade) => void][] = [
  [
    'writes a 401 and destroys',
    (_req, socket) => {
      socket.write(answer)
      socket.destroy()
    }
  ],
  [
    'writes a 401 and calls destroySoon',
    (_req, socket) => {
      socket.write(answer)
      socket.destroySoon()
    }
  ],
  ['ends with a 401', (_req, socket) => socket.end(answer)],
  [
    'ends with a 401 as ws does',
    (_req, socket) => {
      socket.once('finish', socket.destroy)
      socket.end(answer)
    }
  ],
  [
    'writes a 401 in pieces, corked',
    (_req, socket) => {
      socket.cork()
      for (const byte of answer) socket.write(byte)
      socket.uncork()
      socket.end()
    }
  ],
  ["pipes another server's 401", (_req, socket) => Readable.from([answer]).pipe(socket)],
  [
    'answers 401 with a response that it assigned',
    (req, socket) => {
      const res = new ServerResponse(req)
      res.assignSocket(socket)
      res.on('finish', () => socket.destroy())
      res.sendDate = false
      res.writeHead(401, ['Connection', 'close', 'Content-Length', '4']).end('no.\n')
    }
  ]
]

describe.each(table([alone, ...shared, aloneOverTls, ...sharedOverTls]))('%s', (_arrangement, arrangement) => {
  describe.each(ways)('a listener that %s', (...way) => {
    const [, take, when] = way

    test.each(['client', 'server'] as const)(
      'gets its connection, which closes at once when the %s closes it',
      async (closing) => {
        const neighbour = new Neighbour(take, when)
        const server = await share(arrangement, neighbour.join)
        await liveThrough(await connectTheirs(server, neighbour), 'theirs', closing)
        await server.close()
      }
    )

    test('gets the first frames once', async () => {
      const neighbour = new Neighbour(take, when)
      const server = await share(arrangement, neighbour.join)
      const back = await framesBack(server, '/theirs', () => letDecide(server, neighbour))
      expect(back).toEqual(['first', 'second'])
      await server.close()
    })
  })

  test.each(ways)('a listener that %s gets a close event when its client leaves', async (_name, take, when) => {
    const neighbour = new Neighbour(take, when)
    const server = await share(arrangement, neighbour.join)
    const client = await connectTheirs(server, neighbour)
    expect(await client.next()).toBe('theirs')
    const left = once(neighbour.socket as Socket, 'close')
    client.socket.terminate()
    await within('the raw socket is closed', left)
    await server.close()
  })

  test('a listener without a library gets the bytes as they were sent', async () => {
    const neighbour = new Neighbour(echo, 'late')
    const server = await share(arrangement, neighbour.join)
    const raw = await openRaw(server)
    let text = ''
    raw.on('data', (chunk) => {
      text += String(chunk)
    })
    const ended = once(raw, 'end')
    raw.write(`${handshake('/theirs')}one `)
    await letDecide(server, neighbour)
    raw.end('two')
    await within('the connection ends', ended)
    expect(text.split('\r\n\r\n')[1]).toBe('one two')
    await server.close()
  })

  test.each(refusals)('a late refusal by a listener that %s reaches the client unchanged', async (_name, refuse) => {
    const neighbour = new Neighbour(refuse, 'late')
    const server = await share(arrangement, neighbour.join)
    const reading = sendRaw(server, handshake('/theirs'))
    await letDecide(server, neighbour)
    expect((await within('the answer arrives', reading)).text).toBe(answer)
    await server.close()
  })

  // `ws` destroys the raw socket on `finish`, for which it listens before it sends its answer.
  test('regression: a refusal sent as ws does it left the connection open if the client had sent more than is read', async () => {
    const closed = signal()
    const refuse = (_req: IncomingMessage, socket: Socket): void => {
      socket.once('close', closed.give)
      socket.once('finish', socket.destroy)
      socket.end(answer)
    }
    const neighbour = new Neighbour(refuse, 'late')
    const server = await share(arrangement, neighbour.join)
    const raw = await openRaw(server)
    raw.on('error', () => {})
    raw.write(handshake('/theirs') + 'x'.repeat(20_000))
    await letDecide(server, neighbour)
    await within('the raw socket is closed', closed.given)
    await server.close()
  })
})

describe.each(table([...shared, ...sharedOverTls]))('%s', (_arrangement, arrangement) => {
  test.each(ways)('the raw socket of a listener that %s looks as it would without Oneport', async (...way) => {
    const without = await takenSocket(arrangement.tls ? aloneOverTls : alone, way)
    expect(await takenSocket(arrangement, way)).toEqual(without)
  })

  describe.each(ways)('next to a listener that %s,', (_name, take, when) => {
    test('a 503 for too many pending handshakes does not reach its client', async () => {
      const neighbour = new Neighbour(take, when)
      const server = await share(arrangement, neighbour.join, { maxPendingHandshakes: 1 })
      const pending = connect(server, '/ours/later')
      await within('the application gets the handshake', server.application.arrived)
      await liveThrough(await connectTheirs(server, neighbour), 'theirs')
      server.application.goOn()
      await liveThrough(await pending, 'ours')
      await server.close()
    })

    test('a 503 while draining does not reach its client', async () => {
      const neighbour = new Neighbour(take, when)
      const server = await share(arrangement, neighbour.join)
      await server.attachment?.drain()
      await liveThrough(await connectTheirs(server, neighbour), 'theirs')
      await server.close()
    })

    test('a handshake timeout does not reach its client', async () => {
      const application = new Application()
      const neighbour = new Neighbour(take, when)
      const timeouts = signal()
      const server = await share(
        arrangement,
        neighbour.join,
        {
          handshakeTimeoutMs: 50,
          onRefused: ({ code }) => {
            if (code === 'HANDSHAKE_TIMEOUT') timeouts.give()
          }
        },
        application
      )
      const client = await connectTheirs(server, neighbour)
      const stuck = connect(server, '/ours/later')
      stuck.catch(() => {})
      await within('a handshake of ours is refused', timeouts.given)
      await liveThrough(client, 'theirs')
      await server.close()
    })
  })

  test('handshakes that wait for a silent listener do not use up the limit', async () => {
    const server = await share(arrangement, (shared) => void shared.on('upgrade', () => {}), {
      maxPendingHandshakes: 3
    })
    const waiting = await Promise.all(Array.from({ length: 4 }, () => openRaw(server)))
    for (const raw of waiting) raw.write(handshake('/nowhere'))
    if (!arrangement.claims) while (server.application.paths.length < 3) await setImmediate()
    await liveThrough(await connect(server, '/ours'), 'ours')
    for (const raw of waiting) raw.destroy()
    // What is left to a silent listener stays open, as without Oneport.
    if (!arrangement.claims) await server.close()
  })
})

describe('Upgrade: h2c next to Socket.IO', () => {
  const request =
    'GET /page/later HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AA\r\n\r\n'

  /**
   * Socket.IO's time limit for handshakes that no one answers. The same for each test, because timers of one length run
   * in the order in which they start.
   */
  const destroyUpgradeTimeout = 50

  async function ask(arrangement: Arrangement): Promise<{ server: SharedServer; reading: Promise<{ text: string }> }> {
    const givenUp = signal()
    const server = await share(arrangement, (shared) => {
      new SocketIo(shared, { destroyUpgradeTimeout })
      shared.on('upgrade', () => setTimeout(givenUp.give, destroyUpgradeTimeout))
    })
    const reading = sendRaw(server as Target, request, (text) => headArrived(text) && text.endsWith('a page\n'))
    await within('Socket.IO gives up', givenUp.given)
    return { server, reading }
  }

  test('without Oneport, is closed after its timeout', async () => {
    const { server, reading } = await ask(alone)
    expect((await within('the connection ends', reading)).text).toBe('')
    await server.close()
  })

  test.each(table([...shared, ...sharedOverTls]))(
    '%s, gets an answer that takes longer than its timeout',
    async (_arrangement, arrangement) => {
      const { server, reading } = await ask(arrangement)
      await within('the application gets the request', server.application.arrived)
      server.application.goOn()
      const { text } = await within('the answer arrives', reading)
      expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    }
  )
})
