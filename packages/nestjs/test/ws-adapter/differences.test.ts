import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ExecutionContext, INestApplication } from '@nestjs/common'
import {
  closed,
  freePort,
  handshake,
  headArrived,
  type Inbox,
  openRaw,
  read,
  signal,
  takePrinted
} from '@oneport/test-kit'
import type { WebSocket } from 'ws'
import { connectTo, endAll, start, subjects } from './subjects.ts'

afterEach(endAll)

/** The rows of the tables in docs/moving-from-nestjs-platform-ws.md. */
describe.each(subjects)('$name', (subject) => {
  const { nest, version, isOurs, Adapter } = subject
  const { MessageBody, SubscribeMessage, WebSocketGateway, WsException } = nest.websockets
  const { Controller, Get, UseGuards } = nest.common

  class Echo {
    @SubscribeMessage('say') say(@MessageBody() text: string) {
      return text
    }
  }
  const echo = async ({ socket, next }: Inbox, data: unknown = 'hello'): Promise<string> => {
    socket.send(JSON.stringify({ event: 'say', data }))
    return next()
  }
  /** The first line of the answer to a handshake; nothing if the connection is cut. */
  const statusOf = async (port: number, path: string, fields: Record<string, string> = {}): Promise<number> => {
    const raw = await openRaw({ port })
    raw.write(handshake(path, fields))
    const answer = await read(raw, headArrived)
    raw.destroy()
    return Number(answer.slice('HTTP/1.1 '.length, 'HTTP/1.1 '.length + 3))
  }
  const cut = 0

  test('guards of the class run for each message, or once before the connection opens', async () => {
    const seen: string[] = []
    const guard = (context: ExecutionContext) => {
      seen.push(context.getType())
      return true
    }
    @UseGuards({ canActivate: guard })
    @WebSocketGateway({ path: '/chat' })
    class Chat extends Echo {}
    const { connect } = await start(subject, { providers: [Chat] })
    const client = await connect('/chat')
    await echo(client)
    await echo(client)
    expect(seen).toEqual(isOurs ? ['http'] : ['ws', 'ws'])
  })

  test('a guard of the class refuses messages, or the connection', async () => {
    @UseGuards({ canActivate: () => false })
    @WebSocketGateway({ path: '/chat' })
    class Chat extends Echo {}
    const { port } = await start(subject, { providers: [Chat] })
    expect(await statusOf(port, '/chat')).toBe(isOurs ? 403 : 101)
  })

  test('global guards run for handshakes, and on NestJS 12 for messages too', async () => {
    const seen: string[] = []
    const guard = (context: ExecutionContext) => {
      seen.push(context.getType())
      return true
    }
    const before = (app: INestApplication) => app.useGlobalGuards({ canActivate: guard })
    @WebSocketGateway({ path: '/chat' })
    class Chat extends Echo {}
    const { connect } = await start(subject, { providers: [Chat], before })
    await echo(await connect('/chat'))
    expect(seen).toEqual([...(isOurs ? ['http'] : []), ...(version === 11 ? [] : ['ws'])])
  })

  test('middleware runs for handshakes', async () => {
    const before = (app: INestApplication) => {
      app.use((_request: unknown, response: { setHeader(name: string, value: string): void }, next: () => void) => {
        response.setHeader('X-Seen', 'yes')
        next()
      })
    }
    @WebSocketGateway({ path: '/chat' })
    class Chat extends Echo {}
    const { connect } = await start(subject, { providers: [Chat], before })
    const { response } = await connect('/chat')
    expect(response.headers['x-seen']).toBe(isOurs ? 'yes' : undefined)
  })

  test('a handshake at a path without a gateway is cut off, or gets 404', async () => {
    @WebSocketGateway({ path: '/chat' })
    class Chat extends Echo {}
    const { port } = await start(subject, { providers: [Chat] })
    expect(await statusOf(port, '/other')).toBe(isOurs ? 404 : cut)
  })

  test('paths match as those of the framework do', async () => {
    @WebSocketGateway({ path: '/chat' })
    class Chat extends Echo {}
    const { port } = await start(subject, { providers: [Chat] })
    const statuses = await Promise.all(['/chat/', '/CHAT'].map((path) => statusOf(port, path)))
    expect(statuses).toEqual(isOurs ? [101, 101] : [cut, cut])
  })

  test('pages of another origin are accepted, or get 403', async () => {
    @WebSocketGateway({ path: '/chat' })
    class Chat extends Echo {}
    const { port } = await start(subject, { providers: [Chat] })
    expect(await statusOf(port, '/chat', { Origin: 'https://evil.example' })).toBe(isOurs ? 403 : 101)
    expect(await statusOf(port, '/chat', { 'Sec-WebSocket-Version': '8' })).toBe(isOurs ? 426 : 101)
  })

  test('the first subprotocol is selected, or none', async () => {
    @WebSocketGateway({ path: '/chat' })
    class Chat extends Echo {}
    const { port } = await start(subject, { providers: [Chat] })
    const raw = await openRaw({ port })
    raw.write(handshake('/chat', { 'Sec-WebSocket-Protocol': 'a, b' }))
    const head = await read(raw, headArrived)
    raw.destroy()
    expect(head.includes('Sec-WebSocket-Protocol: a')).toBe(!isOurs)
  })

  test('messages may have 100 MiB, or 1 MiB', async () => {
    @WebSocketGateway({ path: '/chat' })
    class Chat extends Echo {}
    const { connect } = await start(subject, { providers: [Chat] })
    const client = await connect('/chat')
    const text = 'x'.repeat(1_048_576)
    const end = closed(client.socket)
    expect(await Promise.race([echo(client, text), end])).toEqual(
      isOurs ? { code: 1009, reason: expect.any(String) } : JSON.stringify(text)
    )
  })

  test('app.close() cuts connections off, or closes them with 1001', async () => {
    @WebSocketGateway({ path: '/chat' })
    class Chat extends Echo {}
    const { app, connect } = await start(subject, { providers: [Chat] })
    const end = closed((await connect('/chat')).socket)
    await app.close()
    expect((await end).code).toBe(isOurs ? 1001 : 1006)
  })

  test('generators are sent as an object, or value by value', async () => {
    @WebSocketGateway({ path: '/chat' })
    class Chat {
      @SubscribeMessage('count') *count() {
        yield 1
        yield 2
      }
      @SubscribeMessage('await') async *later() {
        yield 3
      }
    }
    const { connect } = await start(subject, { providers: [Chat] })
    const { socket, next } = await connect('/chat')
    socket.send('{"event":"count"}')
    expect(await next()).toBe(isOurs ? '1' : '{}')
    if (isOurs) expect(await next()).toBe('2')
    socket.send('{"event":"await"}')
    expect(await next()).toBe(isOurs ? '3' : '{}')
  })

  test('handleConnection gets the request of node:http, or that of the framework', async () => {
    for (const onFastify of [false, true]) {
      const seen = signal<unknown>()
      @WebSocketGateway({ path: '/chat' })
      class Chat {
        handleConnection(_client: WebSocket, request: IncomingMessage & { raw?: unknown; ip?: string }) {
          seen.give([request.url, typeof request.headers.host, 'ip' in request, 'raw' in request])
        }
      }
      const { connect } = await start(subject, { providers: [Chat], onFastify })
      await connect('/chat?x')
      expect(await seen.given).toEqual(['/chat?x', 'string', isOurs, isOurs && onFastify])
    }
  })

  test.each([false, true])(
    'a port of its own serves every path, or that of its gateways (on Fastify: %s)',
    async (onFastify) => {
      const port = await freePort()
      @WebSocketGateway(port)
      class Chat extends Echo {}
      @WebSocketGateway({ path: '/main' })
      class Main extends Echo {}
      @Controller('page')
      class Pages {
        @Get() get() {
          return 'a page'
        }
      }
      const main = await start(subject, { providers: [Chat, Main], controllers: [Pages], onFastify })
      expect((await fetch(`http://127.0.0.1:${port}/page`)).status).toBe(426)
      expect(await statusOf(port, '/')).toBe(101)
      for (const path of ['/any', '/main', '/page']) expect(await statusOf(port, path)).toBe(isOurs ? 404 : 101)
      expect(await statusOf(main.port, '/main')).toBe(101)
      expect(await statusOf(main.port, '/')).toBe(isOurs ? 404 : cut)
      expect(await (await fetch(`http://127.0.0.1:${main.port}/page`)).text()).toBe('a page')
    }
  )

  const options: [name: string, value: unknown, instead: string][] = [
    ['maxPayload', 100, 'maxPayloadBytes'],
    ['handleProtocols', () => 'a', 'subprotocols'],
    ['verifyClient', () => true, 'a guard'],
    ['cors', { origin: '*' }, 'allowedOrigins'],
    ['transports', ['websocket'], 'transports'],
    ['skipUTF8Validation', true, 'ws: {'],
    ['WebSocket', class {}, 'WebSocket']
  ]
  test.each(options)('the option %s is for WsAdapter alone, and stops the start', async (name, value, instead) => {
    @WebSocketGateway({ path: '/chat', [name]: value })
    class Chat extends Echo {}
    const starting = start(subject, { providers: [Chat] })
    if (isOurs) await expect(starting).rejects.toThrow(instead)
    else await expect(starting).resolves.toBeDefined()
  })

  test('the adapter takes a server of node:http, or the application alone', async () => {
    const server = createServer()
    await once(server.listen(0, '127.0.0.1'), 'listening')
    try {
      const { port } = server.address() as AddressInfo
      @WebSocketGateway({ path: '/chat' })
      class Chat extends Echo {}
      const starting = start(subject, { providers: [Chat], adapter: () => new Adapter(server) })
      if (isOurs) {
        await expect(starting).rejects.toThrow('OneportAdapter: expected the application')
      } else {
        await starting
        expect(await echo(await connectTo({ port }, '/chat'))).toBe('"hello"')
        await endAll()
      }
    } finally {
      server.close()
    }
  })

  // With WsAdapter, these end the process.
  if (!isOurs) return

  const faults: [how: string, fail: () => unknown][] = [
    [
      'throws',
      () => {
        throw new Error('broken')
      }
    ],
    ['rejects', () => Promise.reject(new Error('broken'))]
  ]
  test.each(faults)('a handleConnection that %s closes its connection with 1011', async (_how, fail) => {
    @WebSocketGateway({ path: '/chat' })
    class Chat extends Echo {
      handleConnection(_client: WebSocket, { url }: IncomingMessage) {
        return url === '/chat?fail' ? fail() : undefined
      }
    }
    const { connect } = await start(subject, { providers: [Chat] })
    const other = await connect('/chat')
    const { socket } = await connect('/chat?fail')
    expect((await closed(socket)).code).toBe(1011)
    expect(await echo(other)).toBe('"hello"')
    takePrinted()
  })

  test.each([
    [
      'throws',
      () => {
        throw new WsException('Log in first.')
      }
    ],
    ['rejects with', () => Promise.reject(new WsException('Log in first.'))]
  ])('a handleConnection that %s a WsException sends it, and closes its connection with 1008', async (_how, fail) => {
    @WebSocketGateway({ path: '/chat' })
    class Chat extends Echo {
      handleConnection() {
        return fail()
      }
    }
    const { connect } = await start(subject, { providers: [Chat] })
    const { socket, next } = await connect('/chat')
    const end = closed(socket)
    expect(JSON.parse(await next())).toEqual({
      event: 'exception',
      data: { status: 'error', message: 'Log in first.', cause: { pattern: 'handleConnection' } }
    })
    expect((await end).code).toBe(1008)
  })

  const cycle: { self?: object } = {}
  cycle.self = cycle
  test.each([
    ['a BigInt', 1n],
    ['a cycle', cycle]
  ])('an answer with %s is logged, and later messages are answered', async (_what, answer) => {
    @WebSocketGateway({ path: '/chat' })
    class Chat extends Echo {
      @SubscribeMessage('fail') fail() {
        return answer
      }
    }
    const { connect } = await start(subject, { providers: [Chat] })
    const client = await connect('/chat')
    client.socket.send('{"event":"fail"}')
    expect(await echo(client)).toBe('"hello"')
  })

  test('classGuards: messages keeps the guards of classes as they are', async () => {
    const seen: string[] = []
    const guard = (context: ExecutionContext) => {
      seen.push(`${context.getType()} ${context.switchToWs().getPattern()}`)
      return context.switchToWs().getData() !== 'secret'
    }
    @UseGuards({ canActivate: guard })
    @WebSocketGateway({ path: '/chat' })
    class Chat extends Echo {}
    const adapter = (app: INestApplication) => new nest.oneport.OneportAdapter(app, { classGuards: 'messages' })
    const { connect } = await start(subject, { providers: [Chat], adapter })
    const client = await connect('/chat')
    client.socket.send('{"event":"say","data":"secret"}')
    expect(await client.next()).toContain('Forbidden resource')
    expect(await echo(client)).toBe('"hello"')
    expect(seen).toEqual(['ws say', 'ws say'])
  })
})
