import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type Duplex, PassThrough } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import {
  connectClient,
  handshake,
  headArrived,
  type Inbox,
  refused,
  sendRaw,
  type Target,
  takePrinted
} from '@oneport/test-kit'
import { Server as SocketIo } from 'socket.io'
import { io, type Socket as SocketIoClient } from 'socket.io-client'
import { WebSocketServer } from 'ws'
import { type Attachment, type AttachOptions, acceptWebSocket, attach, type Dispatch } from '../../src/index.ts'
import { open, read, stopAll } from '../server.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  await stopAll()
  for (const close of closers.splice(0).reverse()) await close()
})

/** Accepts /echo at once and /slow when told to. Everything else is 404. */
class Application {
  readonly paths: (string | undefined)[] = []
  #goOn: () => void = () => {}
  readonly arrived: Promise<void>
  #arrive: () => void = () => {}
  readonly #released = new Promise<void>((resolve) => {
    this.#goOn = resolve
  })

  constructor() {
    this.arrived = new Promise((resolve) => {
      this.#arrive = resolve
    })
  }

  goOn(): void {
    this.#goOn()
  }

  readonly listener = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    this.paths.push(req.url)
    const path = req.url?.split('?', 1)[0]
    if (path === '/slow' || path === '/slow-404') {
      this.#arrive()
      await this.#released
    }
    if (path === '/echo' || path === '/slow') {
      await acceptWebSocket(req, res, (socket) => {
        socket.send('ours')
        socket.on('message', (data) => socket.send(`ours: ${data}`))
      })
    } else {
      res.writeHead(404, { 'X-From': 'the application' }).end('not here')
    }
  }
}

type Other = (server: Server) => unknown

/** Starts a server with another listener, registered after us or before us. */
async function share(
  order: 'first' | 'second',
  other: Other,
  options: AttachOptions = {},
  application = new Application()
): Promise<{ target: Target; server: Server; attachment: Attachment; application: Application }> {
  const server = http.createServer(application.listener)
  if (order === 'second') other(server)
  const attachment = attach(server, application.listener, { handshakeTimeoutMs: 5_000, ...options })
  if (order === 'first') other(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  closers.push(async () => {
    const closed = once(server.close(), 'close')
    for (const socket of attachment.connections) socket.terminate()
    server.closeAllConnections()
    await closed
    attachment.detach()
  })
  return { target: { port: (server.address() as AddressInfo).port }, server, attachment, application }
}

/** A plain `ws` server, with a path or for every handshake. */
const bareWs =
  (path?: string): Other =>
  (server) => {
    const wss = new WebSocketServer({ server, ...(path === undefined ? {} : { path }) })
    wss.on('connection', (socket) => {
      socket.send('theirs')
      socket.on('message', (data) => socket.send(`theirs: ${data}`))
    })
    closers.push(() => {
      for (const socket of wss.clients) socket.terminate()
    })
  }

const connect = async (target: Target, path: string): Promise<Inbox> => {
  const client = await connectClient(target, path)
  closers.push(() => client.socket.terminate())
  return client
}

async function exchange(target: Target, path: string): Promise<string[]> {
  const { socket, next } = await connect(target, path)
  const greeting = await next()
  socket.send('hello')
  return [greeting, await next()]
}

describe.each(['first', 'second'] as const)('attached %s', (order) => {
  describe('next to a plain ws server with a path', () => {
    test('both keep their endpoints', async () => {
      const { target, attachment } = await share(order, bareWs('/bare'))
      expect(await exchange(target, '/echo')).toEqual(['ours', 'ours: hello'])
      expect(await exchange(target, '/bare')).toEqual(['theirs', 'theirs: hello'])
      expect(attachment.stats()).toMatchObject({ accepted: 1, refused: {} })
    })

    test('its refusal does not reach a handshake that the application is still handling', async () => {
      const { target, application } = await share(order, bareWs('/bare'))
      const connecting = connect(target, '/slow')
      await application.arrived
      application.goOn()
      expect(await (await connecting).next()).toBe('ours')
    })

    test("a handshake that no listener accepts gets the application's own 404, completely", async () => {
      const { target, attachment } = await share(order, bareWs('/bare'))
      const response = await sendRaw(target, handshake('/nowhere'))
      expect(response.status).toBe(404)
      expect(response.fields.get('x-from')).toEqual(['the application'])
      expect(response.fields.get('connection')).toEqual(['close'])
      expect(response.rest).toContain('not here')
      expect(attachment.stats().pending).toBe(0)
    })

    test('a frame sent together with the handshake is lost for neither', async () => {
      const { target } = await share(order, bareWs('/bare'))
      const hi = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69])
      for (const [path, owner] of [
        ['/echo', 'ours'],
        ['/bare', 'theirs']
      ] as const) {
        const raw = await open(target)
        raw.write(Buffer.concat([Buffer.from(handshake(path)), hi]))
        expect(await read(raw, (text) => text.endsWith(`${owner}: hi`))).toContain(owner)
        raw.destroy()
      }
    })
  })

  describe('next to socket.io', () => {
    const socketIo: Other = (server) => {
      const sockets = new SocketIo(server, { destroyUpgradeTimeout: 50 })
      sockets.on('connection', (socket) => socket.emit('greeting', 'theirs'))
      closers.push(() => sockets.disconnectSockets(true))
    }

    const greetingOf = async ({ port }: Target, transports: string[]): Promise<string> => {
      const client: SocketIoClient = io(`http://127.0.0.1:${port}`, { transports, reconnection: false })
      closers.push(() => client.disconnect())
      return new Promise((resolve, reject) => {
        client.once('greeting', resolve)
        client.once('connect_error', reject)
      })
    }

    test.each([[['websocket']], [['polling', 'websocket']]])('both keep their clients, over %j', async (transports) => {
      const { target } = await share(order, socketIo)
      expect(await greetingOf(target, transports)).toBe('theirs')
      expect(await exchange(target, '/echo')).toEqual(['ours', 'ours: hello'])
    })

    test('its timer for unanswered handshakes does not end one that waits for the application', async () => {
      let ended: () => void = () => {}
      const tried = new Promise<void>((resolve) => {
        ended = resolve
      })
      const watch: Other = (server) => {
        // Engine.IO calls Node's own `end` through the guard; this wrapper is put in front of the guard.
        server.on('upgrade', (_req: IncomingMessage, rawSocket: Duplex) => {
          const { end } = rawSocket
          rawSocket.end = ((...args: []) => {
            ended()
            return Reflect.apply(end, rawSocket, args)
          }) as typeof end
        })
        socketIo(server)
      }
      const { target, application } = await share(order, watch)
      const connecting = connect(target, '/slow')
      await tried
      application.goOn()
      expect(await (await connecting).next()).toBe('ours')
    })

    test('an unknown path gets the 404 when its timer gives up on the handshake', async () => {
      const { target } = await share(order, socketIo)
      expect((await sendRaw(target, handshake('/nowhere'))).status).toBe(404)
    })
  })

  describe('next to a listener that accepts a handshake later', () => {
    /** Like a proxy, it answers when the server behind it has. */
    const later =
      (path: string, answer: (socket: Duplex) => void, when: Promise<void>): Other =>
      (server) => {
        server.on('upgrade', async (req: IncomingMessage, socket: Duplex) => {
          if (req.url !== path) return
          socket.on('error', () => {})
          closers.push(() => socket.destroy())
          await when
          answer(socket)
        })
      }
    const switching = (socket: Duplex) => socket.write('HTTP/1.1 101 Switching Protocols\r\nX-From: them\r\n\r\n')

    test('holds a 404 back for it', async () => {
      let goOn: () => void = () => {}
      const when = new Promise<void>((resolve) => {
        goOn = resolve
      })
      const { target, application, attachment } = await share(order, later('/theirs', switching, when))
      const raw = await open(target)
      raw.write(handshake('/theirs'))
      await until(() => application.paths.length > 0)
      expect(attachment.stats().pending).toBe(1)
      goOn()
      expect(await read(raw, headArrived)).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\nX-From: them\r\n\r\n$/)
      expect(attachment.stats().pending).toBe(0)
    })

    test('lets its refusal through', async () => {
      const refuse = (socket: Duplex) => {
        socket.write('HTTP/1.1 401 Unauthorized\r\n')
        socket.end('Connection: close\r\n\r\n')
      }
      const { target } = await share(order, later('/theirs', refuse, setImmediate()))
      expect((await sendRaw(target, handshake('/theirs'))).text).toBe(
        'HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n'
      )
    })

    test('sends the 404 at the deadline if it never answers', async () => {
      const never = new Promise<void>(() => {})
      const { target, attachment } = await share(order, later('/theirs', switching, never), { handshakeTimeoutMs: 50 })
      expect((await sendRaw(target, handshake('/theirs'))).status).toBe(404)
      expect(attachment.stats().pending).toBe(0)
    })

    test('forgets the 404 of a client that leaves', async () => {
      const never = new Promise<void>(() => {})
      const { target, attachment, server } = await share(order, later('/theirs', switching, never))
      const connected = once(server, 'connection')
      const raw = await open(target)
      raw.write(handshake('/theirs'))
      const [socket] = (await connected) as [Duplex]
      await until(() => attachment.stats().pending > 0)
      // once() would reject with the reset.
      const gone = new Promise((resolve) => socket.once('close', resolve))
      raw.resetAndDestroy()
      await gone
      await until(() => attachment.stats().pending === 0)
    })

    test('one that accepts what the application is still handling gets it, and the application gets an error', async () => {
      let goOn: () => void = () => {}
      const when = new Promise<void>((resolve) => {
        goOn = resolve
      })
      const { target, application, attachment } = await share(order, later('/slow', switching, when))
      const raw = await open(target)
      raw.write(handshake('/slow'))
      await application.arrived
      goOn()
      expect(await read(raw, headArrived)).toContain('X-From: them')
      application.goOn()
      await until(() => attachment.stats().refused.HANDSHAKE_CONFLICT === 1)
      expect(takePrinted()).toEqual([
        expect.stringMatching(/^oneport: HANDSHAKE_CONFLICT: .* called for "\/slow", but/)
      ])
      expect(attachment.stats()).toMatchObject({ open: 0, pending: 0 })
    })
  })

  test('next to a ws server that accepts every handshake, one error says so, and nothing breaks', async () => {
    const { target, attachment } = await share(order, bareWs())
    expect(await exchange(target, '/echo?token=secret')).toEqual(['theirs', 'theirs: hello'])
    const [line, ...more] = takePrinted()
    expect(line).toMatch(
      /^oneport: HANDSHAKE_CONFLICT: acceptWebSocket\(\) was called for "\/echo", but another "upgrade" listener/
    )
    expect(line).not.toContain('secret')
    expect(more).toEqual([])
    expect(attachment.stats()).toMatchObject({ open: 0, pending: 0, accepted: 0, refused: { HANDSHAKE_CONFLICT: 1 } })
  })

  test('bytes that another listener puts back are there once, for the one that accepts', async () => {
    // As a proxy does with the bytes after the handshake, before it knows where they belong.
    const proxy: Other = (server) => {
      server.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) => {
        socket.unshift(head)
        if (req.url !== '/theirs') return socket.end()
        socket.on('error', () => {})
        closers.push(() => socket.destroy())
        socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n')
        return socket.on('data', (chunk: Buffer) => socket.write(chunk))
      })
    }
    const { target } = await share(order, proxy)
    const hi = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69])
    const theirs = await open(target)
    theirs.write(Buffer.concat([Buffer.from(handshake('/theirs')), hi]))
    expect(await read(theirs, (text) => text.endsWith('hi'))).toContain(hi.toString('latin1'))
    const ours = await open(target)
    ours.write(Buffer.concat([Buffer.from(handshake('/echo')), hi]))
    const text = await read(ours, (all) => all.endsWith('ours: hi'))
    expect(text.match(/ours: hi/g)).toHaveLength(1)
  })

  test('a handshake that another listener accepted, and that the application never answers, waits no longer than others', async () => {
    const application = new Application()
    const { target, attachment } = await share(order, bareWs(), { handshakeTimeoutMs: 50 }, application)
    expect(await exchange(target, '/slow')).toEqual(['theirs', 'theirs: hello'])
    await application.arrived
    await until(() => attachment.stats().pending === 0)
    application.goOn()
    await until(() => attachment.stats().refused.HANDSHAKE_CONFLICT === 1)
    expect(takePrinted()).toHaveLength(1)
  })

  test('a listener that destroys what is not its own does not affect ours', async () => {
    const destroyer: Other = (server) => {
      server.on('upgrade', (req: IncomingMessage, socket: Duplex) => {
        if (req.url === '/theirs') return
        socket.write('HTTP/1.1 401 Unauthorized\r\n\r\n')
        socket.destroy()
      })
    }
    const { target } = await share(order, destroyer)
    expect(await exchange(target, '/echo')).toEqual(['ours', 'ours: hello'])
    expect((await sendRaw(target, handshake('/nowhere'))).status).toBe(404)
  })

  test('requests for other protocols are still served as ordinary ones', async () => {
    const { target } = await share(order, bareWs('/bare'))
    const response = await sendRaw(
      target,
      'GET /page HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade, close\r\n\r\n'
    )
    expect(response.status).toBe(404)
    expect(response.rest).toContain('not here')
  })

  describe('a second attachment', () => {
    test('gets what the first answers with 404, and the last 404 is sent', async () => {
      const second: Dispatch = (req, res) => {
        if (req.url !== '/second') return res.writeHead(404, { 'X-From': 'the second' }).end()
        return acceptWebSocket(req, res, (socket) => socket.send('the second'))
      }
      const { target, attachment, server } = await share(order, (shared) => {
        const other = attach(shared, second)
        closers.push(() => {
          for (const socket of other.connections) socket.terminate()
          other.detach()
        })
      })
      expect(server.listenerCount('upgrade')).toBe(1)
      expect(await exchange(target, '/echo')).toEqual(['ours', 'ours: hello'])
      expect(await (await connect(target, '/second')).next()).toBe('the second')
      const response = await sendRaw(target, handshake('/nowhere'))
      expect([response.status, response.fields.get('x-from')]).toEqual([
        404,
        [order === 'first' ? 'the second' : 'the application']
      ])
      expect(attachment.stats()).toMatchObject({ accepted: 1, pending: 0 })
    })
  })

  describe('claims', () => {
    test('true makes a 404 final: it does not wait for the others', async () => {
      const { target } = await share(order, (server) => void server.on('upgrade', () => {}), { claims: () => true })
      expect((await sendRaw(target, handshake('/nowhere'))).status).toBe(404)
    })

    test('false leaves a handshake to the others without asking the application', async () => {
      const { target, application } = await share(order, bareWs('/bare'), { claims: (req) => req.url === '/echo' })
      expect(await exchange(target, '/bare')).toEqual(['theirs', 'theirs: hello'])
      expect(await exchange(target, '/echo')).toEqual(['ours', 'ours: hello'])
      expect(application.paths).toEqual(['/echo'])
    })

    test.each([
      [
        'throws',
        () => {
          throw new Error('broken claims')
        },
        /^oneport: fault in dispatch at "[^"]+": Error: broken claims/
      ],
      ['returns a promise', async () => true, /claims: the function must return true or false synchronously/]
    ])('a function that %s is reported, and the application is asked', async (_what, claims, message) => {
      const { target } = await share(order, bareWs('/bare'), { claims: claims as never })
      expect(await exchange(target, '/echo')).toEqual(['ours', 'ours: hello'])
      expect(takePrinted()).toEqual([expect.stringMatching(message)])
    })
  })

  test("next to Vite's dev server, hot reload and our endpoint work", async () => {
    const vite = await ViteServer.start(order)
    const { socket, next } = await connectClient(vite, `/?token=${vite.token}`, ['vite-hmr'])
    expect(JSON.parse(await next())).toEqual({ type: 'connected' })
    socket.terminate()
    expect(await exchange(vite, '/echo')).toEqual(['ours', 'ours: hello'])
    expect(await refused(connectClient(vite, '/nowhere'))).toBe(404)
  }, 30_000)
})

/** An application that ends its answer before the head is written, as Express does. */
const endAtOnce = (_req: IncomingMessage, res: ServerResponse): void => {
  res.statusCode = 404
  res.end('not here')
}

test('regression: a 404 that was ended before its head was written is sent next to a listener that ignores it', async () => {
  const server = http.createServer(endAtOnce)
  attach(server, endAtOnce, { handshakeTimeoutMs: 100 })
  server.on('upgrade', () => {})
  await once(server.listen(0, '127.0.0.1'), 'listening')
  closers.push(() => once(server.close(), 'close'))
  const { port } = server.address() as AddressInfo
  const answer = await sendRaw({ port }, handshake('/'))
  expect([answer.status, answer.rest]).toEqual([404, 'not here'])
})

test('regression: after an application that ends its 404 before the head is written, another one accepts', async () => {
  const server = http.createServer(endAtOnce)
  const application = new Application()
  attach(server, endAtOnce)
  const attachment = attach(server, application.listener)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  closers.push(async () => {
    const closed = once(server.close(), 'close')
    for (const socket of attachment.connections) socket.terminate()
    await closed
  })
  const { port } = server.address() as AddressInfo
  expect(await exchange({ port }, '/echo')).toEqual(['ours', 'ours: hello'])
})

test('regression: a message that arrives while its handshake waits behind a response is not lost next to other listeners', async () => {
  const application = new Application()
  let finish = (): void => {}
  let arrive = (): void => {}
  const upgraded = new Promise<void>((resolve) => {
    arrive = resolve
  })
  const listener: Dispatch = (req, res) => {
    if (req.url !== '/in-front') return application.listener(req, res)
    finish = () => void res.end('in front')
    return undefined
  }
  const server = http.createServer(listener)
  const attachment = attach(server, listener)
  server.on('upgrade', arrive)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  closers.push(async () => {
    const closed = once(server.close(), 'close')
    for (const socket of attachment.connections) socket.terminate()
    await closed
  })
  const { port } = server.address() as AddressInfo
  const raw = await open({ port })
  raw.write(`GET /in-front HTTP/1.1\r\nHost: a\r\n\r\n${handshake('/echo')}`)
  await upgraded
  raw.write(Buffer.from([0x81, 0x85, 0, 0, 0, 0, ...Buffer.from('early')]))
  // Once this is answered, the frame has arrived too.
  expect((await sendRaw({ port }, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).status).toBe(404)
  finish()
  expect(await read(raw, (text) => text.includes('ours: early'))).toContain('ours: early')
})

test('without others, claims decides nothing', async () => {
  const application = new Application()
  const { target } = await share('first', () => {}, { claims: () => false }, application)
  expect(await exchange(target, '/echo')).toEqual(['ours', 'ours: hello'])
})

/** Polls for a condition that has no event. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setImmediate()
}

/** Vite can only be imported, so it runs in a process of its own. */
class ViteServer implements Target {
  readonly port: number
  readonly token: string

  private constructor({ port, token }: { port: number; token: string }) {
    this.port = port
    this.token = token
  }

  static async start(order: string): Promise<ViteServer> {
    const child: ChildProcess = spawn(process.execPath, [join(__dirname, 'vite-server.mjs'), order], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc']
    })
    closers.push(async () => {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    })
    const [ready] = (await once(child, 'message')) as [{ port: number; token: string }]
    return new ViteServer(ready)
  }
}

test('regression: a stream into which another listener had piped our connection was never ended', async () => {
  const piped = [new PassThrough(), new PassThrough()]
  let raw: Duplex | undefined
  const other: Other = (server) =>
    server.on('upgrade', (_req: IncomingMessage, socket: Duplex) => {
      raw = socket
      socket.pipe(piped[0] as PassThrough)
    })
  const { target } = await share('first', other)
  const client = await open(target)
  client.write(handshake('/echo'))
  await read(client, headArrived)
  raw?.pipe(piped[1] as PassThrough)
  const finished = Promise.all(piped.map((stream) => once(stream.resume(), 'finish')))
  client.destroy()
  await finished
})

test('regression: each request for another protocol on one connection added a layer, until the stack overflowed', async () => {
  const { target, server } = await share('first', bareWs('/bare'))
  server.removeAllListeners('request')
  server.on('request', (req, res) => res.end(req.url))
  const raw = await open(target)
  const answers: string[] = []
  while (answers.length < 20 && !answers.at(-1)?.includes('Connection: close')) {
    raw.write(`GET /${answers.length} HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n`)
    answers.push(await read(raw, (text) => text.endsWith(`/${answers.length}`) && !text.includes('Connection: close')))
  }
  expect(answers).toHaveLength(8)
  expect(answers.every((text) => text.startsWith('HTTP/1.1 200 '))).toBe(true)
  expect(answers.at(-1)).toContain('Connection: close')
})
