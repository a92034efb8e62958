import 'reflect-metadata'
import { connect, expectRefused } from '@oneport/testing'
import { map } from 'rxjs'
import type { WebSocket } from 'ws'
import { closeAll, start } from './start.ts'
import { combinations } from './versions.ts'

type Context = import('@nestjs/common').ExecutionContext

describe.each(combinations)('%s', (_name, nest, platform) => {
  const { Controller, Header, Inject, Injectable, Param, ParseIntPipe, Query, Scope, SetMetadata, UseGuards } =
    nest.common
  const { Version, VersioningType } = nest.common
  const { REQUEST, Reflector } = nest.core
  const { Socket, WebSocketRoute } = nest.oneport
  const serve = async (...[controllers, prepare]: [object[], Parameters<typeof start>[4]?]) =>
    start(nest, platform, { controllers: controllers as [] }, {}, prepare)

  afterEach(closeAll)

  test('calls the method with the open socket and the values of its other parameters', async () => {
    @Controller('feeds')
    class Feeds {
      readonly name = 'feed'

      @WebSocketRoute(':id', { subprotocols: ['feed.v1'] })
      @Header('X-Feed', 'yes')
      open(@Param('id', ParseIntPipe) id: number, @Socket() socket: WebSocket, @Query('q') q = 'none'): void {
        socket.send(JSON.stringify([this.name, id, q, socket.readyState]))
      }
    }
    const { app } = await serve([Feeds])
    await using client = await connect(app.getHttpServer(), '/feeds/7', { subprotocols: ['feed.v1'] })
    expect(await client.nextJson()).toEqual(['feed', 7, 'none', 1])
    expect([client.subprotocol, client.response.headers['x-feed']]).toEqual(['feed.v1', 'yes'])
    expect((await expectRefused(app.getHttpServer(), '/feeds/x')).status).toBe(400)
  })

  test('is a route like any other: prefix, version, guards and metadata', async () => {
    const seen: unknown[] = []
    @Injectable()
    class Guard {
      constructor(@Inject(Reflector) readonly reflector: import('@nestjs/core').Reflector) {}

      canActivate(context: Context): boolean {
        const role = this.reflector.get('role', context.getHandler())
        seen.push([context.getType(), context.getClass().name, context.getHandler().name, role])
        return role === 'above and below'
      }
    }
    @Controller()
    class Feeds {
      @SetMetadata('role', 'above and below')
      @WebSocketRoute('above')
      @UseGuards(Guard)
      above(@Socket() socket: WebSocket): void {
        socket.send('above')
      }

      @WebSocketRoute('below')
      @UseGuards(Guard)
      @SetMetadata('role', 'above and below')
      @Version('2')
      below(@Socket() socket: WebSocket): void {
        socket.send('below')
      }
    }
    const { app } = await serve([Feeds], (app) => {
      app.setGlobalPrefix('api')
      app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' })
    })
    for (const [path, name] of [
      ['/api/v1/above', 'above'],
      ['/api/v2/below', 'below']
    ]) {
      await using client = await connect(app.getHttpServer(), path)
      expect(await client.next()).toBe(name)
      expect(seen.pop()).toEqual(['http', 'Feeds', name, 'above and below'])
    }
  })

  test('answers an ordinary request with 426', async () => {
    @Controller()
    class Feeds {
      @WebSocketRoute('feed')
      open(@Socket() _socket: WebSocket): void {}
    }
    const { app, logger } = await serve([Feeds])
    await app.listen(0, '127.0.0.1')
    const response = await fetch(`${await app.getUrl()}/feed`)
    expect([response.status, response.headers.get('upgrade')]).toEqual([426, 'websocket'])
    expect(await response.json()).toMatchObject({
      statusCode: 426,
      message: expect.stringContaining('WebSocket endpoint')
    })
    expect(logger.lines).toEqual([])
  })

  test('sends a 101 without a body, whatever interceptors return', async () => {
    @Controller()
    class Feeds {
      @WebSocketRoute('feed')
      async open(@Socket() socket: WebSocket): Promise<string> {
        socket.send('open')
        return 'ignored'
      }
    }
    const { app } = await serve([Feeds], (app) => {
      app.useGlobalInterceptors({ intercept: (_context, next) => next.handle().pipe(map((data) => ({ data }))) })
    })
    await using client = await connect(app.getHttpServer(), '/feed')
    expect(await client.next()).toBe('open')
    expect(client.response.headers).not.toHaveProperty('content-length')
    expect(client.response.headers).not.toHaveProperty('content-type')
  })

  test('closes the connection with 1011 if the method fails', async () => {
    @Controller()
    class Feeds {
      @WebSocketRoute('feed')
      async open(@Socket() _socket: WebSocket): Promise<void> {
        throw new Error('broken')
      }
    }
    const { app, logger } = await serve([Feeds])
    const client = await connect(app.getHttpServer(), '/feed')
    expect((await client.closed).code).toBe(1011)
    expect(logger.lines).toEqual(['error: fault in a WebSocket connection (handler)'])
  })

  test('uses providers that depend on the request', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Tenant {
      constructor(@Inject(REQUEST) readonly request: { url: string }) {}
    }
    @Controller()
    class Feeds {
      constructor(@Inject(Tenant) readonly tenant: Tenant) {}

      @WebSocketRoute('feed')
      open(@Socket() socket: WebSocket): void {
        socket.send(this.tenant.request.url)
      }
    }
    const { app } = await start(nest, platform, { controllers: [Feeds], providers: [Tenant] })
    await using client = await connect(app.getHttpServer(), '/feed?a')
    expect(await client.next()).toBe('/feed?a')
  })

  test('throws where it is used wrongly', () => {
    const without = () => {
      class Feeds {
        @WebSocketRoute('feed')
        open(_socket: WebSocket): void {}
      }
      return Feeds
    }
    expect(without).toThrow('Feeds.open: @WebSocketRoute(): one parameter must have @Socket()')
    const wrongOption = () => {
      class Feeds {
        @WebSocketRoute('feed', { maxPayload: 1 } as object)
        open(@Socket() _socket: WebSocket): void {}
      }
      return Feeds
    }
    expect(wrongOption).toThrow(/^Feeds\.open: @WebSocketRoute\(\): unknown option 'maxPayload'; use maxPayloadBytes/)
  })
})
