import type { IncomingMessage } from 'node:http'
import { closed, freePort, handshake, headArrived, type Inbox, openRaw, read, signal } from '@oneport/test-kit'
import type { WebSocketServer as Server, WebSocket } from 'ws'
import { connectTo, endAll, type Subject, start, subjects } from './subjects.ts'

afterEach(endAll)

type BindMessageHandlers = InstanceType<Subject['Adapter']>['bindMessageHandlers']
type Tail<Call extends (...args: never[]) => unknown> = Parameters<Call> extends [unknown, ...infer Rest] ? Rest : never

/** Paths, ports, options and applications, as written for `WsAdapter`. */
describe.each(subjects)('$name', (subject) => {
  const { nest, version, Adapter } = subject
  const { MessageBody, SubscribeMessage, WebSocketGateway } = nest.websockets
  const { Controller, Get, Inject, Injectable, Scope } = nest.common

  class Echo {
    @SubscribeMessage('say') say(@MessageBody() text: string) {
      return text
    }
  }
  const echoes = async (connecting: Promise<Inbox>): Promise<boolean> => {
    const { socket, next } = await connecting
    socket.send('{"event":"say","data":"hello"}')
    const answer = await next()
    const end = closed(socket)
    socket.close()
    await end
    return answer === '"hello"'
  }

  /** Whether a handshake is accepted. WsAdapter cuts off those that nobody takes, without an answer. */
  const opens = async (port: number, path: string): Promise<boolean> => {
    const raw = await openRaw({ port })
    raw.write(handshake(path))
    const answer = await read(raw, headArrived)
    raw.destroy()
    return answer.startsWith('HTTP/1.1 101')
  }

  test.each(['chat', '/chat', '/chat/', 'chat/'])('has the path /chat with path: %j', async (path) => {
    @WebSocketGateway({ path })
    class Chat extends Echo {}
    const { connect } = await start(subject, { providers: [Chat] })
    expect(await echoes(connect('/chat'))).toBe(true)
    expect(await echoes(connect('/chat?token=1'))).toBe(true)
  })

  test('has the path / without one', async () => {
    @WebSocketGateway()
    class Chat extends Echo {}
    const { connect, port } = await start(subject, { providers: [Chat] })
    expect(await echoes(connect('/'))).toBe(true)
    expect(await echoes(connect('/?token=1'))).toBe(true)
    expect(await opens(port, '/other')).toBe(false)
  })

  test('serves two gateways at two paths', async () => {
    @WebSocketGateway({ path: '/one' })
    class One extends Echo {
      @SubscribeMessage('which') which() {
        return 1
      }
    }
    @WebSocketGateway({ path: '/two' })
    class Two extends Echo {
      @SubscribeMessage('which') which() {
        return 2
      }
    }
    const { connect, port } = await start(subject, { providers: [One, Two] })
    for (const [path, which] of [
      ['/one', '1'],
      ['/two', '2']
    ] as const) {
      const { socket, next } = await connect(path)
      socket.send('{"event":"which"}')
      expect(await next()).toBe(which)
    }
    expect(await opens(port, '/three')).toBe(false)
  })

  test.each([false, true])('leaves pages alone, with setGlobalPrefix too (on Fastify: %s)', async (onFastify) => {
    @WebSocketGateway({ path: '/chat' })
    class Chat extends Echo {}
    @Controller('chat')
    class Pages {
      @Get() get() {
        return 'a page'
      }
    }
    const before = (app: { setGlobalPrefix(prefix: string): unknown }) => app.setGlobalPrefix('api')
    const { connect, port } = await start(subject, { providers: [Chat], controllers: [Pages], onFastify, before })
    expect(await echoes(connect('/chat'))).toBe(true)
    expect(await (await fetch(`http://127.0.0.1:${port}/api/chat`)).text()).toBe('a page')
    expect((await fetch(`http://127.0.0.1:${port}/chat`)).status).toBe(404)
  })

  test('answers a page at the path of a gateway', async () => {
    @WebSocketGateway({ path: '/chat' })
    class Chat extends Echo {}
    @Controller('chat')
    class Pages {
      @Get() get() {
        return 'a page'
      }
    }
    const { connect, port } = await start(subject, { providers: [Chat], controllers: [Pages] })
    expect(await (await fetch(`http://127.0.0.1:${port}/chat`)).text()).toBe('a page')
    expect(await echoes(connect('/chat'))).toBe(true)
  })

  test('listens on a port of the gateway', async () => {
    const port = await freePort()
    @WebSocketGateway(port)
    class Chat extends Echo {}
    await start(subject, { providers: [Chat] })
    expect(await echoes(connectTo({ port }, '/'))).toBe(true)
  })

  test('shares a port of their own among gateways with paths, and frees it', async () => {
    const port = await freePort()
    @WebSocketGateway(port, { path: '/one' })
    class One extends Echo {}
    @WebSocketGateway(port, { path: '/two' })
    class Two extends Echo {}
    for (const _ of [1, 2]) {
      const { app } = await start(subject, { providers: [One, Two] })
      expect(await echoes(connectTo({ port }, '/one'))).toBe(true)
      expect(await echoes(connectTo({ port }, '/two'))).toBe(true)
      expect(await opens(port, '/three')).toBe(false)
      await app.close()
    }
  })

  test('refuses namespaces at startup', async () => {
    @WebSocketGateway({ path: '/chat', namespace: 'rooms' })
    class Chat extends Echo {}
    await expect(start(subject, { providers: [Chat] })).rejects.toThrow(/namespace/i)
  })

  test('compresses with perMessageDeflate of a gateway', async () => {
    @WebSocketGateway({ path: '/chat', perMessageDeflate: true })
    class Chat extends Echo {}
    const { connect } = await start(subject, { providers: [Chat] })
    const { response } = await connect('/chat', [], { perMessageDeflate: true })
    expect(response.headers['sec-websocket-extensions']).toBe('permessage-deflate')
  })

  test('ends its connections when the application closes, and calls handleDisconnect', async () => {
    const left = signal()
    @WebSocketGateway({ path: '/chat' })
    class Chat extends Echo {
      handleDisconnect() {
        left.give()
      }
    }
    const { app, connect } = await start(subject, { providers: [Chat] })
    const { socket } = await connect('/chat')
    const end = closed(socket)
    await app.close()
    await left.given
    // WsAdapter cuts it off; a client of an adapter that says goodbye gets 1001.
    expect([1001, 1006]).toContain((await end).code)
  })

  test('serves two applications in one process', async () => {
    @WebSocketGateway({ path: '/chat' })
    class Chat extends Echo {}
    const [one, two] = [await start(subject, { providers: [Chat] }), await start(subject, { providers: [Chat] })]
    expect([await echoes(one.connect('/chat')), await echoes(two.connect('/chat'))]).toEqual([true, true])
    await one.app.close()
    expect(await echoes(two.connect('/chat'))).toBe(true)
  })

  // Nest 11 calls gateways without the dependencies of a request.
  if (version !== 11) {
    test('has one instance of a request-scoped gateway per connection', async () => {
      let count = 0
      @Injectable({ scope: Scope.REQUEST })
      class State {
        readonly id = ++count
        readonly client: WebSocket
        constructor(@Inject(nest.core.REQUEST) client: WebSocket) {
          this.client = client
        }
      }
      @WebSocketGateway({ path: '/chat' })
      class Chat {
        readonly state: State
        constructor(@Inject(State) state: State) {
          this.state = state
        }
        @SubscribeMessage('id') id(client: WebSocket) {
          return [this.state.id, this.state.client === client]
        }
      }
      const { connect } = await start(subject, { providers: [State, Chat] })
      for (const id of [1, 2]) {
        const { socket, next } = await connect('/chat')
        for (const _ of [1, 2]) {
          socket.send('{"event":"id"}')
          expect(await next()).toBe(`[${id},true]`)
        }
      }
    })
  }

  test('lets a subclass listen for connections, and wrap what Nest binds to them', async () => {
    const seen: unknown[] = []
    const left = signal()
    class OwnAdapter extends Adapter {
      override create(port: number, options?: Parameters<InstanceType<typeof Adapter>['create']>[1]) {
        const server = super.create(port, options)
        server.on('connection', (_client: WebSocket, { url }: IncomingMessage) => seen.push(['connection', url]))
        return server
      }
      override bindClientConnect(server: Server, callback: (...args: unknown[]) => void) {
        super.bindClientConnect(server, (client: WebSocket, request: IncomingMessage) => {
          seen.push(['handler', request.url])
          callback(client, request)
        })
      }
      override bindMessageHandlers(client: WebSocket, ...rest: Tail<BindMessageHandlers>) {
        seen.push(['messages', client.readyState])
        super.bindMessageHandlers(client, ...rest)
      }
      override bindClientDisconnect(client: WebSocket, callback: (code: number) => void) {
        super.bindClientDisconnect(client, (code: number) => {
          callback(code)
          seen.push(['left', code])
          left.give()
        })
      }
    }
    @WebSocketGateway({ path: '/chat' })
    class Chat extends Echo {}
    const { connect } = await start(subject, { providers: [Chat], adapter: (app) => new OwnAdapter(app) })
    expect(await echoes(connect('/chat'))).toBe(true)
    await left.given
    expect(seen).toEqual([
      ['connection', '/chat'],
      ['handler', '/chat'],
      ['messages', 1],
      ['left', 1005]
    ])
  })
})
