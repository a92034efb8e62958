import 'reflect-metadata'
import { connect, expectRefused } from '@oneport/testing'
import { map, of, tap } from 'rxjs'
import type { WebSocket } from 'ws'
import { closeAll, start } from './start.ts'
import { combinations } from './versions.ts'

type Context = import('@nestjs/common').ExecutionContext
type Next = import('@nestjs/common').CallHandler

describe.each(combinations)('%s', (_name, nest, platform) => {
  const { Catch, Controller, Get, Header, Headers, Inject, Injectable, Param, ParseUUIDPipe, Query, Scope } =
    nest.common
  const { SetMetadata, UseFilters, UseGuards, UseInterceptors } = nest.common
  const { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE, REQUEST, Reflector } = nest.core
  const { BaseWsExceptionFilter, ConnectedSocket, WebSocketGateway } = nest.websockets
  const { Socket } = nest.oneport
  const uuid = 'b5d9a6c2-6d0f-4b7a-9d53-0a3c1f0f7c11'

  afterEach(closeAll)

  test('runs everything in the order of Nest, before the 101', async () => {
    const calls: string[] = []
    const guard = (name: string) => ({
      canActivate: (context: Context) => calls.push(`${name} ${context.getType()}`) > 0
    })
    const interceptor = (name: string) => ({
      intercept: (_context: Context, next: Next) => {
        calls.push(name)
        return next.handle().pipe(tap(() => calls.push(`after ${name}`)))
      }
    })
    @WebSocketGateway({ path: '/chat/:room' })
    @UseGuards(guard('class guard'))
    @UseInterceptors(interceptor('class interceptor'))
    class Chat {
      @UseGuards(guard('method guard'))
      @UseInterceptors(interceptor('method interceptor'))
      handleConnection(
        socket: WebSocket,
        _request: object,
        @Param('room', { transform: (value: string) => calls.push('pipe') && value.toUpperCase() }) room: string
      ): void {
        calls.push('open')
        socket.send(room)
      }
    }
    const { app } = await start(
      nest,
      platform,
      { providers: [Chat], configure: (consumer) => void consumer.apply(middleware('consumer')).forRoutes('*path') },
      {},
      (app) => {
        app.use(middleware('app.use'))
        app.useGlobalGuards(guard('global guard'))
        app.useGlobalInterceptors(interceptor('global interceptor'))
      }
    )
    function middleware(name: string) {
      return (_req: object, _res: object, next: () => void) => {
        calls.push(name)
        next()
      }
    }
    await using client = await connect(app.getHttpServer(), '/chat/blue')
    expect(await client.next()).toBe('BLUE')
    expect(calls).toEqual([
      'app.use',
      'consumer',
      'global guard http',
      'class guard http',
      'method guard http',
      'global interceptor',
      'class interceptor',
      'method interceptor',
      'pipe',
      'after method interceptor',
      'after class interceptor',
      'after global interceptor',
      'open'
    ])
  })

  test('runs the guards, interceptors, pipes and filters of APP_ providers', async () => {
    const calls: string[] = []
    class Note {
      canActivate(context: Context): boolean {
        calls.push(`guard ${context.getClass().name}.${context.getHandler().name}`)
        return true
      }

      intercept(_context: Context, next: Next): object {
        calls.push('interceptor')
        return next.handle()
      }

      transform(value: string): string {
        calls.push(`pipe ${value}`)
        if (value === 'bad') throw new TypeError('bad room')
        return value
      }
    }
    @Catch(TypeError)
    class Filter {
      catch(error: Error, host: import('@nestjs/common').ArgumentsHost): void {
        const response = host.switchToHttp().getResponse()
        response.status(418).send(error.message)
      }
    }
    @WebSocketGateway({ path: '/chat/:room' })
    class Chat {
      handleConnection(socket: WebSocket, _request: object, @Param('room') room: string): void {
        socket.send(room)
      }
    }
    const providers = [
      Chat,
      { provide: APP_GUARD, useClass: Note },
      { provide: APP_INTERCEPTOR, useClass: Note },
      { provide: APP_PIPE, useClass: Note },
      { provide: APP_FILTER, useClass: Filter }
    ]
    const { app } = await start(nest, platform, { providers })
    await using client = await connect(app.getHttpServer(), '/chat/blue')
    expect(await client.next()).toBe('blue')
    expect(calls).toEqual(['guard Chat.handleConnection', 'interceptor', 'pipe blue'])
    const { status, body } = await expectRefused(app.getHttpServer(), '/chat/bad')
    expect([status, body]).toEqual([418, 'bad room'])
  })

  test('answers 401, 403 and 400 of guards and pipes over HTTP', async () => {
    @Injectable()
    class RolesGuard {
      constructor(@Inject(Reflector) readonly reflector: import('@nestjs/core').Reflector) {}

      canActivate(context: Context): boolean {
        const [, role] = context.switchToHttp().getRequest().url.split('?')
        if (role === undefined) throw new nest.common.UnauthorizedException('log in')
        return this.reflector.getAllAndOverride('roles', [context.getHandler(), context.getClass()]).includes(role)
      }
    }
    @WebSocketGateway({ path: '/admin/:id' })
    @UseGuards(RolesGuard)
    class Admin {
      @SetMetadata('roles', ['admin'])
      handleConnection(socket: WebSocket, _request: object, @Param('id', ParseUUIDPipe) id: string): void {
        socket.send(id)
      }
    }
    const { app, logger } = await start(nest, platform, { providers: [Admin] })
    const refusal = async (path: string): Promise<unknown> => {
      const { status, body } = await expectRefused(app.getHttpServer(), path)
      return [status, JSON.parse(body).message]
    }
    expect(await refusal(`/admin/${uuid}`)).toEqual([401, 'log in'])
    expect(await refusal(`/admin/${uuid}?user`)).toEqual([403, 'Forbidden resource'])
    expect(await refusal('/admin/1?admin')).toEqual([400, 'Validation failed (uuid is expected)'])
    await using client = await connect(app.getHttpServer(), `/admin/${uuid}?admin`)
    expect(await client.next()).toBe(uuid)
    expect(logger.lines).toEqual([])
  })

  test('passes parameters with decorators to handleConnection', async () => {
    @WebSocketGateway({ path: '/first/:id' })
    class First {
      handleConnection(
        @ConnectedSocket() socket: WebSocket,
        @Query('q') q: string,
        @Headers('x-test') field: string,
        @Param() params: { id: string }
      ): void {
        socket.send(`${q} ${field} ${params.id}`)
      }
    }
    @WebSocketGateway({ path: '/last/:id' })
    class Last {
      handleConnection(@Param('id') id: string, @Socket() socket: WebSocket): void {
        socket.send(id)
      }
    }
    const { app } = await start(nest, platform, { providers: [First, Last] })
    await using first = await connect(app.getHttpServer(), '/first/1?q=2', { headers: { 'X-Test': '3' } })
    expect(await first.next()).toBe('2 3 1')
    await using last = await connect(app.getHttpServer(), '/last/4')
    expect(await last.next()).toBe('4')
  })

  test('gives each of several gateways on a path the values of its own parameters', async () => {
    @WebSocketGateway({ path: '/:room' })
    class One {
      handleConnection(socket: WebSocket, _request: object, @Param('room') room: string): void {
        socket.send(`one ${room}`)
      }
    }
    @WebSocketGateway({ path: '/:room' })
    class Two {
      handleConnection(socket: WebSocket, @Query('q') q: string): void {
        socket.send(`two ${q}`)
      }
    }
    const { app } = await start(nest, platform, { providers: [One, Two] })
    await using client = await connect(app.getHttpServer(), '/blue?q=1')
    expect([await client.next(), await client.next()].sort()).toEqual(['one blue', 'two 1'])
  })

  test('opens nothing if one of several gateways on a path refuses', async () => {
    const opened: string[] = []
    @WebSocketGateway({ path: '/both' })
    class Open {
      handleConnection(): void {
        opened.push('open')
      }
    }
    @WebSocketGateway({ path: '/both' })
    @UseGuards({ canActivate: () => false })
    class Closed {}
    for (const providers of [
      [Open, Closed],
      [Closed, Open]
    ]) {
      const { app } = await start(nest, platform, { providers })
      expect((await expectRefused(app.getHttpServer(), '/both')).status).toBe(403)
    }
    expect(opened).toEqual([])
  })

  test('sends the header fields of decorators, middleware and interceptors with the 101', async () => {
    const after = {
      intercept: (context: Context, next: Next) =>
        next.handle().pipe(
          map((data) => {
            context.switchToHttp().getResponse().header('X-After', 'after')
            return { data }
          })
        )
    }
    @WebSocketGateway({ path: '/fields' })
    class Fields {
      @Header('X-Method', 'method')
      handleConnection(): void {}
    }
    const { app } = await start(nest, platform, { providers: [Fields] }, {}, (app) => {
      app.use((_req: object, res: import('node:http').ServerResponse, next: () => void) => {
        res.setHeader('X-Middleware', 'middleware')
        next()
      })
      app.useGlobalInterceptors(after)
    })
    await using client = await connect(app.getHttpServer(), '/fields')
    expect(client.response.status).toBe(101)
    expect(client.response.headers).toMatchObject({
      'x-method': 'method',
      'x-after': 'after',
      'x-middleware': 'middleware'
    })
    expect(client.response.headers).not.toHaveProperty('content-type')
    expect(client.response.headers).not.toHaveProperty('content-length')
  })

  test('sends the answer of an interceptor that does not call the gateway', async () => {
    @WebSocketGateway({ path: '/short' })
    @UseInterceptors({ intercept: () => of({ busy: true }) })
    class Short {}
    const passed: string[] = []
    @WebSocketGateway({ path: '/short' })
    @UseGuards({ canActivate: () => passed.push('guard') > 0 })
    class Other {}
    const { app } = await start(nest, platform, { providers: [Short, Other] })
    const { status, body } = await expectRefused(app.getHttpServer(), '/short')
    expect([status, JSON.parse(body), passed]).toEqual([200, { busy: true }, []])
  })

  test('refuses if an interceptor throws after the gateway has accepted', async () => {
    const late = (_context: Context, next: Next) =>
      next.handle().pipe(
        map(() => {
          throw new nest.common.ConflictException('late')
        })
      )
    const opened: string[] = []
    @WebSocketGateway({ path: '/late' })
    @UseInterceptors({ intercept: late })
    class Late {
      handleConnection(): void {
        opened.push('open')
      }
    }
    const { app, adapter } = await start(nest, platform, { providers: [Late] })
    expect((await expectRefused(app.getHttpServer(), '/late')).status).toBe(409)
    expect([opened, adapter.attachment.stats().open]).toEqual([[], 0])
  })

  test('runs filters of the class for handshakes, except those for messages', async () => {
    @Catch()
    class ForMessages extends BaseWsExceptionFilter {}
    @Catch(RangeError)
    class ForBoth {
      catch(_error: Error, host: import('@nestjs/common').ArgumentsHost): void {
        host.switchToHttp().getResponse().status(416).send('out of range')
      }
    }
    const broken = {
      canActivate: (context: Context) => {
        throw context.switchToHttp().getRequest().url.includes('range') ? new RangeError() : new Error('broken')
      }
    }
    @WebSocketGateway({ path: '/filtered' })
    @UseGuards(broken)
    @UseFilters(ForMessages, new ForMessages(), ForBoth)
    class Filtered {}
    const { app, logger } = await start(nest, platform, { providers: [Filtered] })
    expect((await expectRefused(app.getHttpServer(), '/filtered?range')).status).toBe(416)
    expect(logger.lines).toEqual([])
    expect((await expectRefused(app.getHttpServer(), '/filtered')).status).toBe(500)
    expect(logger.lines).toEqual(['error: Error: broken'])
  })

  test('leaves other requests to the pages on the same path, and handshakes to the gateways', async () => {
    @Controller()
    class Pages {
      @Get()
      home(): string {
        return 'home'
      }

      @Get(platform === 'Express' ? '*path' : '*')
      other(): string {
        return 'other'
      }
    }
    class Echo {
      handleConnection(socket: WebSocket): void {
        socket.send('gateway')
      }
    }
    @WebSocketGateway()
    class Home extends Echo {}
    @WebSocketGateway({ path: '/chat/:room' })
    class Chat extends Echo {}
    const { app } = await start(nest, platform, { controllers: [Pages], providers: [Home, Chat] })
    await app.listen(0, '127.0.0.1')
    for (const path of ['/', '/chat/blue']) {
      await using client = await connect(app.getHttpServer(), path)
      expect(await client.next()).toBe('gateway')
    }
    const url = await app.getUrl()
    expect(await (await fetch(url)).text()).toBe('home')
    expect(await (await fetch(`${url}/chat/blue`)).text()).toBe('other')
    const { status, body } = await expectRefused(app.getHttpServer(), '/elsewhere')
    expect([status, body]).toEqual([200, 'other'])
  })

  test('answers 404 for a handshake without an endpoint', async () => {
    @WebSocketGateway({ path: '/chat' })
    class Chat {}
    const { app, logger } = await start(nest, platform, { providers: [Chat] })
    expect((await expectRefused(app.getHttpServer(), '/chats')).status).toBe(404)
    expect(logger.lines).toEqual([])
  })

  test('runs middleware for the path of a gateway', async () => {
    const paths: string[] = []
    const note = (req: { originalUrl: string }, _res: object, next: () => void) => {
      paths.push(req.originalUrl)
      next()
    }
    @WebSocketGateway({ path: '/chat/:room' })
    class Chat {}
    @WebSocketGateway({ path: '/other' })
    class Other {}
    const { app } = await start(nest, platform, {
      providers: [Chat, Other],
      configure: (consumer) =>
        void consumer
          .apply(note)
          .forRoutes('chat/*path')
          .apply(note)
          .forRoutes({ path: 'chat/:room', method: nest.common.RequestMethod.GET })
    })
    await using chat = await connect(app.getHttpServer(), '/chat/blue')
    await using other = await connect(app.getHttpServer(), '/other')
    expect([chat.response.status, other.response.status]).toEqual([101, 101])
    expect(paths).toEqual(['/chat/blue', '/chat/blue'])
  })

  test('gives a gateway no global prefix and no version', async () => {
    @WebSocketGateway({ path: '/chat' })
    class Chat {}
    const { app } = await start(nest, platform, { providers: [Chat] }, {}, (app) => {
      app.setGlobalPrefix('api')
      app.enableVersioning({ type: nest.common.VersioningType.URI, defaultVersion: '1' })
    })
    await using client = await connect(app.getHttpServer(), '/chat')
    expect(client.response.status).toBe(101)
    expect((await expectRefused(app.getHttpServer(), '/api/chat')).status).toBe(404)
  })

  test.each(['*path', 'chat/*path', 'chat/:room'])(
    'runs middleware for %s, also beside a global prefix that excludes the gateway',
    async (path) => {
      const paths: string[] = []
      const note = (req: { originalUrl: string }, _res: object, next: () => void) => {
        paths.push(req.originalUrl)
        next()
      }
      @WebSocketGateway({ path: '/chat/:room' })
      class Chat {}
      const configure = (consumer: import('@nestjs/common').MiddlewareConsumer) =>
        void consumer.apply(note).forRoutes(path)
      const { app } = await start(nest, platform, { providers: [Chat], configure }, {}, (app) => {
        app.setGlobalPrefix('api', { exclude: ['chat/:room'] })
      })
      await using client = await connect(app.getHttpServer(), '/chat/blue')
      expect([client.response.status, paths]).toEqual([101, ['/chat/blue']])
    }
  )

  test('creates guards that depend on the request for each handshake', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Tenant {
      constructor(@Inject(REQUEST) readonly request: { headers: Record<string, string> }) {}

      canActivate(): boolean {
        return this.request.headers['x-tenant'] === 'blue'
      }
    }
    @WebSocketGateway({ path: '/tenant' })
    class Chat {
      handleConnection(socket: WebSocket): void {
        socket.send('open')
      }
    }
    const providers = [Chat, { provide: APP_GUARD, scope: Scope.REQUEST, useClass: Tenant }]
    const { app, logger } = await start(nest, platform, { providers })
    expect([(await expectRefused(app.getHttpServer(), '/tenant')).status, logger.lines]).toEqual([403, []])
    await using client = await connect(app.getHttpServer(), '/tenant', { headers: { 'X-Tenant': 'blue' } })
    expect(await client.next()).toBe('open')
    expect((await expectRefused(app.getHttpServer(), '/tenant')).status).toBe(403)
  })
})
