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

/** A listener that takes `/theirs`, and lets other paths alone. */
class Neighbour {
  readonly #take: (...upgrade: Upgrade) => void
  readonly #moment = signal()
  readonly #asked = signal()
  readonly #isLate: boolean
  /** It has got a handshake of its own. */
  readonly asked = this.#asked.given
  socket: Socket | undefined
  /** Whether `req.socket` was the raw socket when it took the handshake. */
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

/** A server of `ws` accepts. */
function accept(...[req, socket, head]: Upgrade): void {
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false })
  server.handleUpgrade(req, socket, head, (webSocket) => converse(webSocket, 'theirs'))
}

/** As @fastify/websocket, @fastify/http-proxy and tinyws do. */
function assignAndAccept(...[req, socket, head]: Upgrade): void {
  const res = new ServerResponse(req)
  res.assignSocket(socket)
  accept(req, socket, head)
}

/** Without a library: whatever comes goes back. */
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

/** Connects to `/theirs`; the neighbour answers after the application of ours has, where it is asked. */
async function connectTheirs(server: SharedServer, neighbour: Neighbour): Promise<Client> {
  const connecting = connect(server, '/theirs')
  connecting.catch(() => {})
  await letDecide(server, neighbour)
  return connecting
}

async function letDecide(server: SharedServer, neighbour: Neighbour): Promise<void> {
  await within('the neighbour is asked', neighbour.asked)
  // Ours is asked in the same turn, and answers with it.
  for (let turn = 0; turn < 5; turn++) await setImmediate()
  expect(server.attachment?.stats().accepted ?? 0).toBe(0)
  neighbour.goOn()
}

/** What others see of a raw socket. */
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

/** The raw socket that a neighbour has taken, once its connection is in use. */
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
  ['pipes a 401 of another server', (_req, socket) => Readable.from([answer]).pipe(socket)],
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
      'has its connection, which closes at once when the %s closes it',
      async (closing) => {
        const neighbour = new Neighbour(take, when)
        const server = await share(arrangement, neighbour.join)
        await liveThrough(await connectTheirs(server, neighbour), 'theirs', closing)
        await server.close()
      }
    )

    test('has the first frames, once', async () => {
      const neighbour = new Neighbour(take, when)
      const server = await share(arrangement, neighbour.join)
      const back = await framesBack(server, '/theirs', () => letDecide(server, neighbour))
      expect(back).toEqual(['first', 'second'])
      await server.close()
    })
  })

  test.each(ways)('a client of a listener that %s leaves, and the listener is told', async (_name, take, when) => {
    const neighbour = new Neighbour(take, when)
    const server = await share(arrangement, neighbour.join)
    const client = await connectTheirs(server, neighbour)
    expect(await client.next()).toBe('theirs')
    const left = once(neighbour.socket as Socket, 'close')
    client.socket.terminate()
    await within('the raw socket is closed', left)
    await server.close()
  })

  test('a listener without a library has the bytes as they come', async () => {
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

  test.each(refusals)('a refusal by one that %s, late, reaches the client as it is', async (_name, refuse) => {
    const neighbour = new Neighbour(refuse, 'late')
    const server = await share(arrangement, neighbour.join)
    const reading = sendRaw(server, handshake('/theirs'))
    await letDecide(server, neighbour)
    expect((await within('the answer comes', reading)).text).toBe(answer)
    await server.close()
  })

  // `ws` destroys when its answer is out: by what it has asked the raw socket for in front of its answer.
  test('regression: a refusal as ws makes it left the connection open where the client had sent more than is read', async () => {
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
  test.each(ways)('the raw socket of one that %s is as it would be on a server of its own', async (...way) => {
    const without = await takenSocket(arrangement.tls ? aloneOverTls : alone, way)
    expect(await takenSocket(arrangement, way)).toEqual(without)
  })

  describe.each(ways)('where one that %s', (_name, take, when) => {
    test('has a client, a 503 of ours for too many pending handshakes does not reach it', async () => {
      const neighbour = new Neighbour(take, when)
      const server = await share(arrangement, neighbour.join, { maxPendingHandshakes: 1 })
      const pending = connect(server, '/ours/later')
      await within('the application is asked', server.application.arrived)
      await liveThrough(await connectTheirs(server, neighbour), 'theirs')
      server.application.goOn()
      await liveThrough(await pending, 'ours')
      await server.close()
    })

    test('has a client, a 503 of ours while we drain does not reach it', async () => {
      const neighbour = new Neighbour(take, when)
      const server = await share(arrangement, neighbour.join)
      await server.attachment?.drain()
      await liveThrough(await connectTheirs(server, neighbour), 'theirs')
      await server.close()
    })

    test('has a client, our handshake timeout does not reach it', async () => {
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

  test('handshakes that wait for a silent listener lock nobody out', async () => {
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

describe('Upgrade: h2c beside Socket.IO', () => {
  const request =
    'GET /page/later HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AA\r\n\r\n'

  /** Its timer for what nobody answers; the same for each test, so that timers run in the order in which they start. */
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

  test('without Oneport is ended after its timeout', async () => {
    const { server, reading } = await ask(alone)
    expect((await within('the connection ends', reading)).text).toBe('')
    await server.close()
  })

  test.each(table([...shared, ...sharedOverTls]))(
    '%s, gets an answer that takes longer than its timeout',
    async (_arrangement, arrangement) => {
      const { server, reading } = await ask(arrangement)
      await within('the application is asked', server.application.arrived)
      server.application.goOn()
      const { text } = await within('the answer comes', reading)
      expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    }
  )
})
