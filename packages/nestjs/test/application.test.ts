import 'reflect-metadata'
import { freePort } from '@oneport/test-kit'
import { connect, expectRefused } from '@oneport/testing'
import type WebSocket from 'ws'
import { attachmentOf } from '../src/index.ts'
import { closeAll, start } from './start.ts'
import { combinations } from './versions.ts'

describe.each(combinations)('%s', (_name, nest, platform) => {
  const { MessageBody, SubscribeMessage, WebSocketGateway } = nest.websockets
  const { OneportAdapter } = nest.oneport

  @WebSocketGateway<import('../src/index.ts').GatewayOptions>({ path: '/echo', subprotocols: ['echo.v1'] })
  class Echo {
    @SubscribeMessage('echo')
    echo(@MessageBody() data: unknown): object {
      return { event: 'echo', data }
    }
  }

  afterEach(closeAll)

  test('drains when the application closes', async () => {
    for (const [options, code, reason] of [
      [{}, 1001, ''],
      [{ drain: { code: 1012, reason: 'restart' } }, 1012, 'restart']
    ] as const) {
      const { app } = await start(nest, platform, { providers: [Echo] }, options)
      await app.listen(0, '127.0.0.1')
      const client = await connect(app.getHttpServer(), '/echo', { port: true })
      const [closed] = await Promise.all([client.closed, app.close()])
      expect([closed.code, closed.reason]).toEqual([code, reason])
      expect(app.getHttpServer().listening).toBe(false)
    }
  })

  test('drains the connections of routes, in an application without gateways', async () => {
    const { Controller } = nest.common
    const { Socket, WebSocketRoute } = nest.oneport
    @Controller()
    class Feeds {
      @WebSocketRoute('feed')
      open(@Socket() _socket: object): void {}
    }
    const { app } = await start(nest, platform, { controllers: [Feeds] })
    const client = await connect(app.getHttpServer(), '/feed')
    await app.close()
    expect((await client.closed).code).toBe(1001)
  })

  test('takes options of the gateway and of the adapter', async () => {
    const { app, adapter } = await start(
      nest,
      platform,
      { providers: [Echo] },
      { allowedOrigins: ['https://app.example'] }
    )
    await using client = await connect(app.getHttpServer(), '/echo', {
      origin: 'https://app.example',
      subprotocols: ['echo.v2', 'echo.v1']
    })
    expect(client.subprotocol).toBe('echo.v1')
    expect((await expectRefused(app.getHttpServer(), '/echo', { origin: 'same-origin' })).status).toBe(403)
    expect(adapter.attachment.stats()).toMatchObject({ open: 1, refused: { HANDSHAKE_ORIGIN: 1 } })
    expect(attachmentOf(app.getHttpServer())?.connections.size).toBe(1)
  })

  test('knows whose connection it is, and until when', async () => {
    const { Controller, UseGuards } = nest.common
    const { Socket, WebSocketRoute } = nest.oneport
    type WithUser = { headers: Record<string, string>; user: string }
    const login = {
      canActivate: (context: import('@nestjs/common').ExecutionContext) => {
        const request = context.switchToHttp().getRequest<WithUser>()
        request.user = request.headers['x-user'] ?? ''
        return true
      }
    }
    const credential = ({ headers, user }: WithUser) => ({
      key: user,
      expiresAt: Number(headers['x-expires'] ?? Infinity)
    })
    @WebSocketGateway({ path: '/gateway', credential })
    @UseGuards(login)
    class Gateway {}
    @Controller()
    class Routes {
      @WebSocketRoute('route', { credential })
      @UseGuards(login)
      open(@Socket() _socket: object): void {}
    }
    const { app, adapter } = await start(nest, platform, { controllers: [Routes], providers: [Gateway] })
    for (const path of ['/gateway', '/route']) {
      const headers = { 'X-User': 'ada' }
      const client = await connect(app.getHttpServer(), path, { headers })
      expect(adapter.attachment.connectionsOf('ada').size).toBe(1)
      expect(adapter.attachment.revoke('ada')).toBe(1)
      expect((await client.closed).code).toBe(4401)
      const expired = await expectRefused(app.getHttpServer(), path, {
        headers: { ...headers, 'X-Expires': String(Date.now() - 1) }
      })
      expect([expired.status, JSON.parse(expired.body).message]).toEqual([
        403,
        'The credential of this handshake has expired.'
      ])
    }
  })

  test('trusts a proxy if the application does', async () => {
    const headers = { Origin: 'https://app.example', 'X-Forwarded-Host': 'app.example', 'X-Forwarded-Proto': 'https' }
    const { app, logger } = await start(nest, platform, { providers: [Echo] })
    expect((await expectRefused(app.getHttpServer(), '/echo', { headers })).status).toBe(403)
    const hint = platform === 'Express' ? "app.set('trust proxy'" : 'new FastifyAdapter({ trustProxy:'
    expect(logger.lines.join()).toContain(hint)
    @nest.common.Module({ providers: [Echo] })
    class Root {}
    const http =
      platform === 'Express' ? new nest.express.ExpressAdapter() : new nest.fastify.FastifyAdapter({ trustProxy: true })
    if (platform === 'Express') http.getInstance().set('trust proxy', true)
    const trusting = await nest.core.NestFactory.create(Root, http, { logger: false })
    trusting.useWebSocketAdapter(new OneportAdapter(trusting))
    await trusting.listen(0, '127.0.0.1')
    const client = await connect(trusting.getHttpServer(), '/echo', { headers, port: true })
    await client.close()
    await trusting.close()
  })

  test('serves gateways with a port of their own', async () => {
    const port = await freePort()
    @WebSocketGateway(port, { path: '/own' })
    class Own {
      handleConnection(socket: WebSocket): void {
        socket.send('own')
      }
    }
    @WebSocketGateway(port)
    class Root {
      handleConnection(socket: WebSocket): void {
        socket.send('root')
      }
    }
    const { app } = await start(nest, platform, { providers: [Own, Root, Echo] })
    await app.listen(0, '127.0.0.1')
    for (const path of ['own', '']) {
      await using client = await connect(`ws://127.0.0.1:${port}/${path}`)
      expect(await client.next()).toBe(path === '' ? 'root' : 'own')
    }
    expect((await expectRefused(`ws://127.0.0.1:${port}/echo`)).status).toBe(404)
    expect((await expectRefused(app.getHttpServer(), '/own')).status).toBe(404)
    const client = await connect(`ws://127.0.0.1:${port}`)
    await app.close()
    expect((await client.closed).code).toBe(1001)
    await expect(connect(`ws://127.0.0.1:${port}`)).rejects.toThrow()
  })

  test('works in an application of @nestjs/testing', async () => {
    const module = await nest.testing.Test.createTestingModule({ providers: [Echo] }).compile()
    const http = platform === 'Express' ? new nest.express.ExpressAdapter() : new nest.fastify.FastifyAdapter()
    const app = module.createNestApplication(http)
    app.useWebSocketAdapter(new OneportAdapter(app))
    await app.init()
    if (platform === 'Fastify') await http.getInstance().ready()
    await using client = await connect(app.getHttpServer(), '/echo')
    client.sendJson({ event: 'echo', data: [1] })
    expect(await client.nextJson()).toEqual({ event: 'echo', data: [1] })
    await app.close()
  })

  test('throws for wrong options, at start', async () => {
    const starting = (options: object, gateway: object = { path: '/x' }): Promise<unknown> => {
      @WebSocketGateway(gateway)
      class Wrong {}
      return start(nest, platform, { providers: [Wrong] }, options)
    }
    await expect(starting({ allowedOrigin: [] })).rejects.toThrow(
      /^OneportAdapter: unknown option 'allowedOrigin'; did you mean allowedOrigins/
    )
    await expect(starting({ clasGuards: 'both' })).rejects.toThrow(/did you mean classGuards/)
    await expect(starting({ classGuards: 'none' })).rejects.toThrow(
      "OneportAdapter: classGuards: expected 'handshake', 'messages' or 'both'; got 'none'"
    )
    await expect(starting({ drain: { codes: 1 } })).rejects.toThrow(/^OneportAdapter: drain/)
    await expect(starting({ messageParser: 'json' })).rejects.toThrow(
      'OneportAdapter: messageParser: expected a function'
    )
    await expect(starting({ effectiveRequest: () => ({}) })).rejects.toThrow(
      /^OneportAdapter: effectiveRequest cannot be set here/
    )
    await expect(starting({}, { path: 1 })).rejects.toThrow('Wrong: path: expected a string; got 1')
    await expect(starting({}, { namespace: 'chat' })).rejects.toThrow(
      'Wrong: namespace is an option of another adapter; use path'
    )
    await expect(starting({}, { cors: true })).rejects.toThrow(
      'Wrong: cors is an option of another adapter; use allowedOrigins'
    )
    await expect(starting({}, { maxPayloadBytes: -1 })).rejects.toThrow(/^Wrong: maxPayloadBytes: expected/)
    await expect(starting({}, { credential: 1 })).rejects.toThrow('Wrong: credential: expected a function (request) =>')
    await expect(starting({}, { classGuards: 1 })).rejects.toThrow("Wrong: classGuards: expected 'handshake'")
    expect(() => new OneportAdapter({} as never)).toThrow('OneportAdapter: expected the application; got')
    expect(() => new OneportAdapter(undefined as never)).toThrow(
      'OneportAdapter: expected the application; got undefined'
    )
  })

  test('throws if two gateways on a path have options of the connection', async () => {
    const options = { path: '/both', subprotocols: ['a'] }
    @WebSocketGateway(options)
    class One {}
    @WebSocketGateway(options)
    class Two {}
    await expect(start(nest, platform, { providers: [One, Two] })).rejects.toThrow(
      'One and Two: only one of the gateways on the path /both can have options of the connection'
    )
  })
})
