import type { IncomingMessage } from 'node:http'
import { closed, signal } from '@oneport/test-kit'
import { type WebSocketServer as Server, WebSocket } from 'ws'
import { endAll, start, subjects } from './subjects.ts'

interface User extends WebSocket {
  name?: string | null
  request?: IncomingMessage
  isAlive?: boolean
}

afterEach(endAll)

/** The life of a connection, in gateways written for `WsAdapter`. */
describe.each(subjects)('$name', (subject) => {
  const { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway, WebSocketServer } = subject.nest.websockets

  test('calls afterInit once, before it listens, with the server that @WebSocketServer() has', async () => {
    const seen: unknown[] = []
    @WebSocketGateway({ path: '/chat' })
    class Chat {
      @WebSocketServer() server!: Server
      afterInit(server: Server) {
        seen.push(server === this.server, server.clients.size)
      }
    }
    const { connect } = await start(subject, { providers: [Chat] })
    expect(seen).toEqual([true, 0])
    await connect('/chat')
    await connect('/chat')
    expect(seen).toEqual([true, 0])
  })

  test('calls handleConnection with the socket and the request, and counts it among the clients', async () => {
    const seen = signal<unknown>()
    @WebSocketGateway({ path: '/chat' })
    class Chat {
      @WebSocketServer() server!: Server
      handleConnection(...args: [WebSocket, IncomingMessage]) {
        const [client, { url, headers, method }] = args
        const { clients } = this.server
        seen.give([args.length, client.readyState, clients.has(client), clients.size, method, url, headers.cookie])
      }
    }
    const { connect } = await start(subject, { providers: [Chat] })
    await connect('/chat?token=1', [], { headers: { Cookie: 'a=b' } })
    expect(await seen.given).toEqual([2, WebSocket.OPEN, true, 1, 'GET', '/chat?token=1', 'a=b'])
  })

  test('keeps what handleConnection puts on the socket', async () => {
    @WebSocketGateway({ path: '/chat' })
    class Chat {
      handleConnection(client: User, { url }: IncomingMessage) {
        client.name = new URL(url ?? '', 'ws://localhost').searchParams.get('name')
      }
      @SubscribeMessage('who') who(@ConnectedSocket() client: User) {
        return { event: 'you', data: client.name }
      }
    }
    const { connect } = await start(subject, { providers: [Chat] })
    const { socket, next } = await connect('/chat?name=Ada')
    socket.send('{"event":"who"}')
    expect(await next()).toBe('{"event":"you","data":"Ada"}')
  })

  test('sends what handleConnection sends, and the close code that it closes with', async () => {
    @WebSocketGateway({ path: '/chat' })
    class Chat {
      handleConnection(client: WebSocket, { url }: IncomingMessage) {
        client.send('Welcome')
        if (!url?.includes('token=')) client.close(1008, 'Log in first')
      }
    }
    const { connect } = await start(subject, { providers: [Chat] })
    const { socket, next } = await connect('/chat')
    const end = closed(socket)
    expect(await next()).toBe('Welcome')
    expect(await end).toEqual({ code: 1008, reason: 'Log in first' })
  })

  test('emits connection of the server, with the socket and the request, to listeners from afterInit', async () => {
    const seen = signal<unknown>()
    @WebSocketGateway({ path: '/chat' })
    class Chat {
      afterInit(server: Server) {
        server.on('connection', (client: User, request) => {
          client.request = request
          seen.give([client.readyState, request.url])
        })
      }
      @SubscribeMessage('path') path(@ConnectedSocket() { request }: User) {
        return request?.url
      }
    }
    const { connect } = await start(subject, { providers: [Chat] })
    const { socket, next } = await connect('/chat?x')
    expect(await seen.given).toEqual([WebSocket.OPEN, '/chat?x'])
    socket.send('{"event":"path"}')
    expect(await next()).toBe('"/chat?x"')
  })

  test('calls handleDisconnect when the client closes, and when the server does', async () => {
    const left: unknown[] = []
    const gone = [signal(), signal()] as const
    @WebSocketGateway({ path: '/chat' })
    class Chat {
      @WebSocketServer() server!: Server
      handleDisconnect(client: WebSocket, code?: number) {
        left.push([client.readyState, this.server.clients.has(client), code])
        gone[left.length === 1 ? 0 : 1].give()
      }
      @SubscribeMessage('leave') leave(@ConnectedSocket() client: WebSocket) {
        client.close(4002)
      }
    }
    const { connect } = await start(subject, { providers: [Chat] })
    ;(await connect('/chat')).socket.close(4001)
    await gone[0].given
    ;(await connect('/chat')).socket.send('{"event":"leave"}')
    await gone[1].given
    // Nest 11 does not pass the code.
    const codes = subject.version === 11 ? [undefined, undefined] : [4001, 4002]
    expect(left).toEqual(codes.map((code) => [WebSocket.CLOSED, false, code]))
  })

  test('calls handleDisconnect when the client is cut off', async () => {
    const gone = signal<boolean>()
    @WebSocketGateway({ path: '/chat' })
    class Chat {
      @WebSocketServer() server!: Server
      handleDisconnect() {
        gone.give(this.server.clients.size === 0)
      }
    }
    const { connect } = await start(subject, { providers: [Chat] })
    ;(await connect('/chat')).socket.terminate()
    expect(await gone.given).toBe(true)
  })

  test('broadcasts through server.clients', async () => {
    @WebSocketGateway({ path: '/chat' })
    class Chat {
      @WebSocketServer() server!: Server
      @SubscribeMessage('say') say(@MessageBody() data: string) {
        this.server.clients.forEach((client) => {
          if (client.readyState === WebSocket.OPEN) client.send(JSON.stringify({ event: 'said', data }))
        })
      }
    }
    const { connect } = await start(subject, { providers: [Chat] })
    const [ada, bob] = [await connect('/chat'), await connect('/chat')]
    ada.socket.send('{"event":"say","data":"hello"}')
    expect([await ada.next(), await bob.next()]).toEqual(Array(2).fill('{"event":"said","data":"hello"}'))
  })

  test('lets a gateway have a heartbeat of its own', async () => {
    const answered = signal()
    @WebSocketGateway({ path: '/chat' })
    class Chat {
      @WebSocketServer() server!: Server
      handleConnection(client: User) {
        client.isAlive = false
        client.on('pong', () => {
          client.isAlive = true
          answered.give()
        })
      }
      @SubscribeMessage('beat') beat() {
        for (const client of this.server.clients as Set<User>) client.ping()
      }
      @SubscribeMessage('cut') cut() {
        for (const client of this.server.clients as Set<User>) if (client.isAlive === false) client.terminate()
      }
    }
    const { connect } = await start(subject, { providers: [Chat] })
    const alive = await connect('/chat')
    alive.socket.send('{"event":"beat"}')
    await answered.given
    const late = await connect('/chat')
    const cut = closed(late.socket)
    alive.socket.send('{"event":"cut"}')
    expect((await cut).code).toBe(1006)
    expect(alive.socket.readyState).toBe(WebSocket.OPEN)
  })

  test('emits close of the server when the application closes', async () => {
    const ended = signal()
    @WebSocketGateway({ path: '/chat' })
    class Chat {
      afterInit(server: Server) {
        server.on('close', ended.give)
      }
    }
    const { app } = await start(subject, { providers: [Chat] })
    await app.close()
    await ended.given
  })

  test('leaves binary protocols to listeners that handleConnection adds', async () => {
    @WebSocketGateway({ path: '/sync' })
    class Sync {
      handleConnection(client: WebSocket) {
        client.binaryType = 'arraybuffer'
        client.on('message', (data, isBinary) => {
          if (data instanceof ArrayBuffer) client.send(`${isBinary} ${data.byteLength}`)
        })
      }
    }
    const { connect } = await start(subject, { providers: [Sync] })
    const { socket, next } = await connect('/sync')
    socket.send(Buffer.from([0, 1, 2]))
    expect(await next()).toBe('true 3')
  })

  test('gives filters and services sockets that are instances of WebSocket of ws', async () => {
    const seen = signal<unknown>()
    @WebSocketGateway({ path: '/chat' })
    class Chat {
      handleConnection(client: WebSocket) {
        seen.give([client.constructor.name, typeof client.on, typeof client.ping, client.OPEN])
      }
    }
    const { connect } = await start(subject, { providers: [Chat] })
    await connect('/chat')
    expect(await seen.given).toEqual([expect.stringMatching(/WebSocket$/), 'function', 'function', 1])
  })

  test('calls every gateway of a path, and sends the answers of each', async () => {
    const calls: string[] = []
    const gone = signal()
    const count = (call: string) => {
      calls.push(call)
      if (calls.length === 4) gone.give()
    }
    @WebSocketGateway({ path: '/chat' })
    class First {
      handleConnection() {
        count('first opened')
      }
      handleDisconnect() {
        count('first closed')
      }
      @SubscribeMessage('say') say(@MessageBody() data: string) {
        return { event: 'first', data }
      }
    }
    @WebSocketGateway({ path: '/chat' })
    class Second {
      handleConnection() {
        count('second opened')
      }
      handleDisconnect() {
        count('second closed')
      }
      @SubscribeMessage('say') say(@MessageBody() data: string) {
        return { event: 'second', data }
      }
    }
    const { connect } = await start(subject, { providers: [First, Second] })
    const { socket, next } = await connect('/chat')
    socket.send('{"event":"say","data":1}')
    expect([await next(), await next()].sort()).toEqual(['{"event":"first","data":1}', '{"event":"second","data":1}'])
    socket.close()
    await gone.given
    expect(calls.sort()).toEqual(['first closed', 'first opened', 'second closed', 'second opened'])
  })

  test('calls no handler for an answer that comes after the client has left', async () => {
    const [left, answered] = [signal(), signal()]
    const sent: unknown[] = []
    @WebSocketGateway({ path: '/chat' })
    class Chat {
      handleConnection(client: WebSocket) {
        const send = client.send.bind(client)
        client.send = (data: string) => {
          sent.push(data)
          send(data)
        }
      }
      handleDisconnect() {
        left.give()
      }
      @SubscribeMessage('slow') async slow() {
        await left.given
        setImmediate(answered.give)
        return 'late'
      }
    }
    const { connect } = await start(subject, { providers: [Chat] })
    const { socket } = await connect('/chat')
    socket.send('{"event":"slow"}')
    socket.close()
    await answered.given
    expect(sent).toEqual([])
  })
})
