import 'reflect-metadata'
import { connect, expectRefused } from '@oneport/testing'
import type { WebSocket } from 'ws'
import type { ClassGuards } from '../src/index.ts'
import { closeAll, start } from './start.ts'
import { combinations } from './versions.ts'

type Context = import('@nestjs/common').ExecutionContext

describe.each(combinations)('%s', (_name, nest, platform) => {
  const { Inject, Injectable, Module, Query, Scope, UseGuards } = nest.common
  const { REQUEST } = nest.core
  const { MessageBody, SubscribeMessage, WebSocketGateway } = nest.websockets

  /** A gateway that has every kind of guard, and what they were called for. */
  function guarded(classGuards?: ClassGuards) {
    const calls: string[] = []
    const note = (name: string, context: Context): boolean =>
      context.getClass() === Guarded &&
      calls.push(`${name}: ${context.getType()} ${context.getClass().name}.${context.getHandler().name}`) > 0
    @Injectable()
    class ByClass {
      canActivate(context: Context): boolean {
        return note('class', context)
      }
    }
    @Injectable()
    class ByMethod {
      canActivate(context: Context): boolean {
        return note('method', context)
      }
    }
    @WebSocketGateway({ path: '/guarded', ...(classGuards === undefined ? {} : { classGuards }) })
    @UseGuards(ByClass, { canActivate: (context: Context) => note('instance', context) })
    class Guarded {
      @UseGuards(ByMethod)
      handleConnection(socket: WebSocket): void {
        socket.send('open')
      }

      @SubscribeMessage('plain')
      plain(): object {
        return { event: 'plain' }
      }

      @SubscribeMessage('guarded')
      @UseGuards(ByMethod)
      own(): object {
        return { event: 'guarded' }
      }
    }
    return { Guarded, calls }
  }

  /** Connects and sends a message of each kind. */
  async function use(target: Parameters<typeof connect>[0]): Promise<void> {
    await using client = await connect(target, '/guarded')
    expect(await client.next()).toBe('open')
    for (const event of ['plain', 'guarded']) {
      client.sendJson({ event })
      expect(await client.nextJson()).toEqual({ event })
    }
  }

  const handshake = [
    'class: http Guarded.handleConnection',
    'instance: http Guarded.handleConnection',
    'method: http Guarded.handleConnection'
  ]
  const plain = ['class: ws Guarded.plain', 'instance: ws Guarded.plain']
  const own = ['class: ws Guarded.own', 'instance: ws Guarded.own', 'method: ws Guarded.own']
  const expected: Record<ClassGuards, string[]> = {
    handshake: [...handshake, 'method: ws Guarded.own'],
    messages: ['method: http Guarded.handleConnection', ...plain, ...own],
    both: [...handshake, ...plain, ...own]
  }

  afterEach(closeAll)

  test.each(['handshake', 'messages', 'both'] as const)(
    'security: runs every guard if classGuards is %s',
    async (when) => {
      const one = guarded(when)
      const { app } = await start(nest, platform, { providers: [one.Guarded] })
      await use(app.getHttpServer())
      expect(one.calls).toEqual(expected[when])

      const two = guarded()
      const other = await start(nest, platform, { providers: [two.Guarded] }, { classGuards: when })
      await use(other.app.getHttpServer())
      expect(two.calls).toEqual(expected[when])
    }
  )

  test('runs guards of the class for the handshake by default', async () => {
    const { Guarded, calls } = guarded()
    const { app } = await start(nest, platform, { providers: [Guarded] })
    await use(app.getHttpServer())
    expect(calls).toEqual(expected.handshake)
  })

  test('security: leaves the guards of the class to another application and another adapter', async () => {
    const { Guarded, calls } = guarded()
    await start(nest, platform, { providers: [Guarded] })
    const { app } = await start(nest, platform, { providers: [Guarded] })
    await use(app.getHttpServer())
    expect(calls.splice(0)).toEqual(expected.handshake)
    const replaced = await start(nest, platform, { providers: [Guarded] }, {}, (app) => {
      app.useWebSocketAdapter(new nest.ws.WsAdapter(app))
    })
    replaced.adapter.attachment.detach()
    await use(replaced.app.getHttpServer())
    expect(calls).toEqual([...plain, ...own])
  })

  test('security: runs guards that are injected, of a gateway that is provided under another name', async () => {
    const calls: string[] = []
    @Injectable()
    class Answer {
      readonly value = 'injected'
    }
    @Injectable()
    class Guard {
      constructor(@Inject(Answer) readonly answer: Answer) {}

      canActivate(context: Context): boolean {
        calls.push(`${context.getType()} ${this.answer.value}`)
        return true
      }
    }
    @WebSocketGateway({ path: '/named' })
    @UseGuards(Guard)
    class Named {
      @SubscribeMessage('message')
      @UseGuards(Guard)
      message(@MessageBody() data: string): object {
        return { event: 'message', data }
      }
    }
    @Module({ providers: [Answer, { provide: 'GATEWAY', useClass: Named }] })
    class Inner {}
    const { app } = await start(nest, platform, { imports: [Inner] })
    await using client = await connect(app.getHttpServer(), '/named')
    client.sendJson({ event: 'message', data: 1 })
    expect(await client.nextJson()).toEqual({ event: 'message', data: 1 })
    expect(calls).toEqual(['http injected', 'ws injected'])
  })

  test('security: runs the guards of a gateway that depends on the request, or refuses to start', async () => {
    const calls: string[] = []
    @Injectable({ scope: Scope.REQUEST })
    class Guard {
      constructor(@Inject(REQUEST) readonly request: { url?: string; readyState?: number }) {}

      canActivate(context: Context): boolean {
        calls.push(`${context.getType()} ${this.request.url ?? this.request.readyState}`)
        return this.request.url !== '/scoped?no'
      }
    }
    @WebSocketGateway({ path: '/scoped' })
    @UseGuards(Guard)
    class Scoped {
      async handleConnection(socket: WebSocket, _request: object, @Query('fail') fail?: string): Promise<void> {
        if (fail !== undefined) throw new Error(fail)
        socket.send('open')
      }

      @SubscribeMessage('plain')
      plain(): object {
        return { event: 'plain' }
      }

      @SubscribeMessage('own')
      @UseGuards(Guard)
      own(): object {
        return { event: 'own' }
      }
    }
    const starting = start(nest, platform, { providers: [Scoped] })
    if (!('createRequestScopedHandler' in nest.controller.WebSocketsController.prototype)) {
      await expect(starting).rejects.toThrow(
        /^Scoped or one of its guards.* depends on a request\. Gateways of NestJS 11 cannot/
      )
      return
    }
    const { app, logger } = await starting
    expect((await expectRefused(app.getHttpServer(), '/scoped?no')).status).toBe(403)
    await using client = await connect(app.getHttpServer(), '/scoped')
    expect(await client.next()).toBe('open')
    expect(calls.splice(0)).toEqual(['http /scoped?no', 'http /scoped'])
    for (const event of ['plain', 'own']) {
      client.sendJson({ event })
      expect(await client.nextJson()).toEqual({ event })
    }
    expect(calls).toEqual(['ws 1'])
    const failing = await connect(app.getHttpServer(), '/scoped?fail=broken')
    expect((await failing.closed).code).toBe(1011)
    expect(logger.lines).toEqual(['error: Error: broken'])
  })
})
