import 'reflect-metadata'
import { setTimeout as delay } from 'node:timers/promises'
import { connect } from '@oneport/testing'
import { from, Observable, of } from 'rxjs'
import type { WebSocket } from 'ws'
import type { GatewayServer } from '../src/index.ts'
import { closeAll, start } from './start.ts'
import { combinations } from './versions.ts'

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}

describe.each(combinations)('%s', (_name, nest, platform) => {
  const { Catch, ParseIntPipe, UseFilters, UseInterceptors, UsePipes } = nest.common
  const { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway, WebSocketServer, WsException } =
    nest.websockets
  const serve = async (...providers: object[]) => start(nest, platform, { providers: providers as [] })

  afterEach(closeAll)

  test('answers messages in the format of WsAdapter', async () => {
    @WebSocketGateway({ path: '/chat' })
    class Chat {
      @SubscribeMessage('say')
      say(@MessageBody() text: string, @ConnectedSocket() socket: WebSocket): object {
        socket.send('first')
        return { event: 'said', data: text }
      }

      @SubscribeMessage('plain')
      plain(_socket: WebSocket, text: string): object {
        return { event: 'said', data: text }
      }

      @SubscribeMessage('nothing')
      nothing(): void {}

      @SubscribeMessage('field')
      field(@MessageBody('name') name: string): object {
        return { event: 'name', data: name }
      }
    }
    const { app } = await serve(Chat)
    await using client = await connect(app.getHttpServer(), '/chat')
    client.sendJson({ event: 'say', data: 'hello' })
    expect(await client.next()).toBe('first')
    expect(await client.nextJson()).toEqual({ event: 'said', data: 'hello' })
    client.sendJson({ event: 'nothing' })
    client.sendJson({ event: 'unknown' })
    client.send('no JSON')
    client.send('null')
    client.send(Buffer.from(JSON.stringify({ event: 'plain', data: 1 })))
    expect(await client.nextJson()).toEqual({ event: 'said', data: 1 })
    client.sendJson({ event: 'field', data: { name: 'Ada' } })
    expect(await client.nextJson()).toEqual({ event: 'name', data: 'Ada' })
  })

  test('sends each value of promises, observables and generators', async () => {
    const value = (data: unknown) => ({ event: 'value', data })
    @WebSocketGateway({ path: '/values' })
    class Values {
      @SubscribeMessage('promise')
      async promise(): Promise<object> {
        return value('promised')
      }

      @SubscribeMessage('observable')
      observable(): object {
        return from([value(1), value(2)])
      }

      @SubscribeMessage('promise of an observable')
      async both(): Promise<object> {
        return of(value(3))
      }

      @SubscribeMessage('generator')
      *generator(): Generator {
        yield value(4)
        yield value(5)
      }

      @SubscribeMessage('async generator')
      async *asyncGenerator(): AsyncGenerator {
        yield value(6)
        await delay(1)
        yield value(7)
      }

      @SubscribeMessage('list')
      list(): object {
        return [8, 9]
      }
    }
    const { app } = await serve(Values)
    await using client = await connect(app.getHttpServer(), '/values')
    const ask = async (event: string, count: number): Promise<unknown[]> => {
      client.sendJson({ event })
      const answers: unknown[] = []
      while (answers.length < count) answers.push((await client.nextJson<{ data: unknown }>()).data)
      return answers
    }
    expect(await ask('promise', 1)).toEqual(['promised'])
    expect(await ask('observable', 2)).toEqual([1, 2])
    expect(await ask('promise of an observable', 1)).toEqual([3])
    expect(await ask('generator', 2)).toEqual([4, 5])
    expect(await ask('async generator', 2)).toEqual([6, 7])
    client.sendJson({ event: 'list' })
    expect(await client.nextJson()).toEqual([8, 9])
  })

  test('ends a generator when the client leaves', async () => {
    const ended = deferred()
    const continued = deferred()
    @WebSocketGateway({ path: '/values' })
    class Values {
      @SubscribeMessage('forever')
      async *forever(): AsyncGenerator {
        try {
          yield { event: 'first' }
          await continued.promise
          yield { event: 'second' }
        } finally {
          ended.resolve()
        }
      }

      handleDisconnect(): void {
        continued.resolve()
      }
    }
    const { app } = await serve(Values)
    const client = await connect(app.getHttpServer(), '/values')
    client.sendJson({ event: 'forever' })
    await client.next()
    client.terminate()
    await ended.promise
  })

  test('unsubscribes from an observable when the client leaves', async () => {
    const { promise, resolve } = deferred()
    @WebSocketGateway({ path: '/values' })
    class Values {
      @SubscribeMessage('forever')
      forever(): Observable<object> {
        return new Observable((subscriber) => {
          subscriber.next({ event: 'first' })
          return resolve
        })
      }
    }
    const { app } = await serve(Values)
    const client = await connect(app.getHttpServer(), '/values')
    client.sendJson({ event: 'forever' })
    await client.next()
    client.terminate()
    await promise
  })

  test('runs pipes, interceptors and filters on messages, and answers WsException', async () => {
    const types: string[] = []
    class Note {
      intercept(context: { getType(): string }, next: { handle(): object }): object {
        types.push(context.getType())
        return next.handle()
      }
    }
    class Broken extends Error {}
    @Catch(Broken)
    class Answer {
      catch(_error: Error, host: import('@nestjs/common').ArgumentsHost): void {
        host.switchToWs().getClient().send('caught')
      }
    }
    @WebSocketGateway({ path: '/checked' })
    class Checked {
      @SubscribeMessage('number')
      @UseInterceptors(Note)
      number(
        @MessageBody(new ParseIntPipe({ exceptionFactory: (text) => new WsException(text) })) value: number
      ): object {
        return { event: 'number', data: value + 1 }
      }

      @SubscribeMessage('upper')
      @UsePipes({ transform: (value: unknown) => (typeof value === 'string' ? value.toUpperCase() : value) })
      upper(@MessageBody() value: string): object {
        return { event: 'upper', data: value }
      }

      @SubscribeMessage('broken')
      @UseFilters(Answer)
      broken(): void {
        throw new Broken()
      }

      @SubscribeMessage('refused')
      refused(): void {
        throw new WsException('no')
      }
    }
    const { app, logger } = await serve(Checked)
    await using client = await connect(app.getHttpServer(), '/checked')
    client.sendJson({ event: 'number', data: '41' })
    expect(await client.nextJson()).toEqual({ event: 'number', data: 42 })
    expect(types).toEqual(['ws'])
    client.sendJson({ event: 'upper', data: 'a' })
    expect(await client.nextJson()).toEqual({ event: 'upper', data: 'A' })
    client.sendJson({ event: 'broken' })
    expect(await client.next()).toBe('caught')
    for (const event of ['number', 'refused']) {
      client.sendJson({ event, data: 'x' })
      expect(await client.nextJson()).toMatchObject({ event: 'exception', data: { status: 'error' } })
    }
    expect(logger.lines).toEqual([])
  })

  test('reads on after a message whose filter or observable fails, and reports it', async () => {
    @Catch()
    class Rethrow {
      catch(error: Error): void {
        throw error
      }
    }
    @WebSocketGateway({ path: '/failing' })
    class Failing {
      @SubscribeMessage('throw')
      @UseFilters(Rethrow)
      fail(): void {
        throw new Error('broken')
      }

      @SubscribeMessage('generate')
      *generate(): Generator {
        yield { event: 'first' }
        throw new Error('generated')
      }

      @SubscribeMessage('echo')
      echo(): object {
        return { event: 'echo' }
      }
    }
    const { app, logger } = await serve(Failing)
    await using client = await connect(app.getHttpServer(), '/failing')
    client.sendJson({ event: 'throw' })
    client.sendJson({ event: 'echo' })
    expect(await client.nextJson()).toEqual({ event: 'echo' })
    client.sendJson({ event: 'generate' })
    expect(await client.nextJson()).toEqual({ event: 'first' })
    client.sendJson({ event: 'echo' })
    expect(await client.nextJson()).toEqual({ event: 'echo' })
    expect(logger.lines).toEqual(['error: Error: broken', 'error: Error: generated'])
  })

  test('calls the lifecycle methods, and knows the clients', async () => {
    const calls: unknown[] = []
    const left = deferred()
    @WebSocketGateway({ path: '/life' })
    class Life {
      @WebSocketServer() server?: GatewayServer

      afterInit(server: GatewayServer): void {
        calls.push(['init', server.path])
      }

      handleConnection(socket: WebSocket, request: { url: string }): void {
        calls.push(['connection', socket.readyState, request.url])
        for (const client of this.server?.clients ?? []) client.send(`${this.server?.clients.size}`)
      }

      handleDisconnect(socket: WebSocket): void {
        calls.push(['disconnect', socket.readyState, this.server?.clients.size])
        left.resolve()
      }
    }
    const { app } = await serve(Life)
    const one = await connect(app.getHttpServer(), '/life?a=1')
    expect(await one.next()).toBe('1')
    await using two = await connect(app.getHttpServer(), '/life')
    expect(await two.next()).toBe('2')
    expect(await one.next()).toBe('2')
    await one.close()
    await left.promise
    expect(calls).toEqual([
      ['init', '/life'],
      ['connection', 1, '/life?a=1'],
      ['connection', 1, '/life'],
      ['disconnect', 3, 1]
    ])
  })

  test('serves several gateways on one path, and several paths', async () => {
    class Base {
      handleConnection(socket: WebSocket): void {
        socket.send(`hello from ${this.constructor.name}`)
      }
    }
    @WebSocketGateway({ path: 'both' })
    class One extends Base {
      @SubscribeMessage('one')
      one(): object {
        return { event: 'one' }
      }
    }
    @WebSocketGateway({ path: '/both/' })
    class Two extends Base {
      @SubscribeMessage('two')
      two(): object {
        return { event: 'two' }
      }
    }
    @WebSocketGateway()
    class Root extends Base {}
    const { app } = await serve(One, Two, Root)
    await using both = await connect(app.getHttpServer(), '/both')
    expect([await both.next(), await both.next()].sort()).toEqual(['hello from One', 'hello from Two'])
    both.sendJson({ event: 'two' })
    both.sendJson({ event: 'one' })
    expect([await both.next(), await both.next()].sort()).toEqual(['{"event":"one"}', '{"event":"two"}'])
    await using root = await connect(app.getHttpServer(), '/')
    expect(await root.next()).toBe('hello from Root')
  })

  test('parses messages with the given parser, and reports what it throws', async () => {
    @WebSocketGateway({ path: '/parsed' })
    class Parsed {
      @SubscribeMessage('a')
      answer(@MessageBody() data: string): object {
        return { event: 'b', data }
      }
    }
    const messageParser = (data: unknown): { event: string; data: string } | undefined => {
      const [event = '', text = ''] = String(data).split(':')
      if (event === 'throw') throw new Error('not mine')
      return event === 'skip' ? undefined : { event, data: text }
    }
    const { app, logger } = await start(nest, platform, { providers: [Parsed] }, { messageParser })
    await using client = await connect(app.getHttpServer(), '/parsed')
    client.send('throw')
    client.send('skip')
    client.send('a:text')
    expect(await client.nextJson()).toEqual({ event: 'b', data: 'text' })
    expect(logger.lines).toEqual(['error: Error: not mine'])
  })

  test('closes the connection with 1011 and reports it if handleConnection fails', async () => {
    @WebSocketGateway({ path: '/throws' })
    class Throws {
      handleConnection(): void {
        throw new Error('thrown')
      }
    }
    @WebSocketGateway({ path: '/rejects' })
    class Rejects {
      async handleConnection(): Promise<void> {
        throw new Error('rejected')
      }
    }
    const faults: unknown[] = []
    const onError = (error: unknown, { phase }: { phase: string }) => void faults.push([String(error), phase])
    const { app } = await start(nest, platform, { providers: [Throws, Rejects] }, { onError })
    for (const path of ['/throws', '/rejects']) {
      const client = await connect(app.getHttpServer(), path)
      expect((await client.closed).code).toBe(1011)
    }
    expect(faults).toEqual([
      ['Error: thrown', 'handler'],
      ['Error: rejected', 'handler']
    ])
  })

  test('contains and reports it if handleDisconnect fails', async () => {
    @WebSocketGateway({ path: '/throws' })
    class Throws {
      handleDisconnect(): void {
        throw new Error('thrown')
      }
    }
    @WebSocketGateway({ path: '/rejects' })
    class Rejects {
      async handleDisconnect(): Promise<void> {
        throw new Error('rejected')
      }
    }
    const { promise, resolve } = deferred()
    const faults: unknown[] = []
    const onError = (error: unknown, { phase }: { phase: string }) => {
      if (faults.push([String(error), phase]) === 2) resolve()
    }
    const { app } = await start(nest, platform, { providers: [Throws, Rejects] }, { onError })
    for (const path of ['/throws', '/rejects']) await (await connect(app.getHttpServer(), path)).close()
    await promise
    expect(faults).toEqual([
      ['Error: thrown', 'listener'],
      ['Error: rejected', 'listener']
    ])
  })
})
