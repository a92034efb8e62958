import type { AddressInfo, Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { ArgumentsHost, CanActivate, INestApplication } from '@nestjs/common'
import { handshake, headArrived, hostileValues, openRaw, read, sendRaw, signal } from '@oneport/test-kit'
import { connect, expectRefused } from '@oneport/testing'
import type { GatewayServer, WebSocket } from '../src/index.ts'
import { closeAll, start } from './start.ts'
import { combinations } from './versions.ts'

afterEach(closeAll)

describe.each(combinations)('%s', (_name, nest, platform) => {
  const { Catch, Req, UseFilters, UseGuards } = nest.common
  const { SubscribeMessage, WebSocketGateway, WsException } = nest.websockets

  const listen = async (app: INestApplication): Promise<number> => {
    await app.listen(0, '127.0.0.1')
    return (app.getHttpServer().address() as AddressInfo).port
  }

  const spellings = [
    '/chat',
    '/chat?',
    '/chat#x',
    '/chat/',
    '/chat//',
    '//chat',
    '/CHAT',
    '/ch%61t',
    '/ch%2561t',
    '/%2fchat',
    '/chat%2f',
    '/chat%20',
    '/chat%00',
    '/chat%',
    '/chat;x',
    '/chat\\',
    '/./chat',
    '/x/../chat',
    'http://app.example/chat',
    '*'
  ]
  test('security: opens nothing without middleware and guards, however the path is spelled', async () => {
    let seen: string[] = []
    const guard: CanActivate = {
      canActivate: () => {
        seen.push('guard')
        return true
      }
    }
    @WebSocketGateway({ path: '/chat' })
    @UseGuards(guard)
    class Chat {
      handleConnection() {
        seen.push('open')
      }
    }
    const { app } = await start(nest, platform, {
      providers: [Chat],
      configure: (consumer) => {
        const middleware = (_request: unknown, _response: unknown, next: () => void) => {
          seen.push('middleware')
          next()
        }
        consumer.apply(middleware).forRoutes('chat')
      }
    })
    const port = await listen(app)
    const opened: string[] = []
    for (const path of spellings) {
      seen = []
      const { status } = await sendRaw({ port }, handshake(path), headArrived)
      if (status !== 101) continue
      opened.push(path)
      expect(seen).toEqual(['middleware', 'guard', 'open'])
    }
    expect(opened).toContain('/chat')
    for (const method of ['HEAD', 'POST', 'PUT', 'OPTIONS']) {
      seen = []
      const { status } = await sendRaw({ port }, handshake('/chat').replace('GET', method), headArrived)
      expect([method, status, seen.includes('open')]).toEqual([method, 404, false])
    }
  })

  test('opens nothing for a client that leaves during a guard', async () => {
    const [entered, decided, finished] = [signal(), signal(), signal()]
    const calls: string[] = []
    @WebSocketGateway({ path: '/chat' })
    @UseGuards({
      canActivate: async () => {
        entered.give()
        await decided.given
        setImmediate(finished.give)
        return true
      }
    })
    class Chat {
      handleConnection() {
        calls.push('open')
      }
      handleDisconnect() {
        calls.push('close')
      }
    }
    const { app, adapter } = await start(nest, platform, { providers: [Chat] })
    const left = new Promise((resolve) => {
      app.getHttpServer().once('connection', (socket: Socket) => socket.once('close', resolve))
    })
    const raw = await openRaw({ port: await listen(app) })
    raw.write(handshake('/chat'))
    await entered.given
    raw.destroy()
    await left
    decided.give()
    await finished.given
    expect(calls).toEqual([])
    expect(adapter.attachment.stats().open).toBe(0)
  })

  test('answers 503 if the application closes while a guard decides', async () => {
    const [entered, decided, drains] = [signal(), signal(), signal()]
    const calls: string[] = []
    @WebSocketGateway({ path: '/chat' })
    @UseGuards({
      canActivate: async () => {
        entered.give()
        await decided.given
        return true
      }
    })
    class Chat {
      afterInit(server: GatewayServer) {
        server.once('close', () => setImmediate(drains.give))
      }
      handleConnection() {
        calls.push('open')
      }
    }
    const { app } = await start(nest, platform, { providers: [Chat] })
    const raw = await openRaw({ port: await listen(app) })
    raw.write(handshake('/chat'))
    await entered.given
    const closing = app.close()
    await drains.given
    decided.give()
    expect(await read(raw, headArrived)).toMatch(/^HTTP\/1.1 503 /)
    raw.destroy()
    await closing
    expect(calls).toEqual([])
  })

  test.each(hostileValues)('answers 500 if a guard throws %s, and goes on', async (_what, thrown) => {
    @WebSocketGateway({ path: '/chat' })
    @UseGuards({
      canActivate: () => {
        throw thrown
      }
    })
    class Chat {}
    const { app } = await start(nest, platform, { providers: [Chat] })
    for (const _ of [1, 2]) expect((await expectRefused(app.getHttpServer(), '/chat')).status).toBe(500)
  })

  test('answers 403 with the text of a WsException, which guards of messages throw, and does not log it', async () => {
    @WebSocketGateway({ path: '/chat' })
    @UseGuards({
      canActivate: () => {
        throw new WsException('Log in first.')
      }
    })
    class Chat {}
    const { app, logger } = await start(nest, platform, { providers: [Chat] })
    const { status, body } = await expectRefused(app.getHttpServer(), '/chat')
    expect([status, JSON.parse(body).message]).toEqual([403, 'Log in first.'])
    expect(logger.lines).toEqual([])
  })

  test('keeps a refusal if an exception filter fails, as those do that send messages, and logs the failure', async () => {
    @Catch()
    class Sends {
      catch(error: Error, host: ArgumentsHost) {
        host.switchToWs().getClient<WebSocket>().send(error.message)
      }
    }
    @WebSocketGateway({ path: '/chat' })
    @UseGuards({ canActivate: () => false })
    @UseFilters(new Sends())
    class Chat {}
    const { app, logger } = await start(nest, platform, { providers: [Chat] })
    expect((await expectRefused(app.getHttpServer(), '/chat')).status).toBe(403)
    expect(logger.lines).toEqual([expect.stringMatching(/^error: TypeError: .*send is not a function/)])
  })

  test('keeps nothing of the request while a connection is open', async () => {
    let request: WeakRef<object> | undefined
    @WebSocketGateway({ path: '/chat' })
    class Chat {
      handleConnection(_socket: WebSocket, @Req() given: object) {
        request ??= new WeakRef(given)
      }
      @SubscribeMessage('here') here() {
        return 'here'
      }
    }
    const { app } = await start(nest, platform, { providers: [Chat] })
    await using client = await connect(app.getHttpServer(), '/chat')
    // Nest keeps the last one.
    await using _next = await connect(app.getHttpServer(), '/chat')
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    while (request?.deref() !== undefined) {
      await new Promise(setImmediate)
      collect()
    }
    client.send('{"event":"here"}')
    expect(await client.next()).toBe('"here"')
  })

  test('throws if the application has been initialized', async () => {
    const { app } = await start(nest, platform, {})
    expect(() => new nest.oneport.OneportAdapter(app)).toThrow(
      'OneportAdapter: create it before app.init() and app.listen(), which register the gateways'
    )
  })
})
