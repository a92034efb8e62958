import type { CallHandler, CanActivate, ExecutionContext, PipeTransform } from '@nestjs/common'
import { signal } from '@oneport/test-kit'
import { finalize, from, map, NEVER, type Observable, of, throwError } from 'rxjs'
import type { WebSocket } from 'ws'
import { endAll, type Subject, start, subjects } from './subjects.ts'

afterEach(endAll)

/** Messages and their answers, in gateways written for `WsAdapter`. */
describe.each(subjects)('$name', (subject) => {
  const { nest, isOurs, version, Adapter } = subject
  const { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway, WsException } = nest.websockets
  const { Catch, UseFilters, UseGuards, UseInterceptors, UsePipes } = nest.common

  /** The answers to some messages, up to the answer to a last one. */
  async function answers(gateway: new (...args: never[]) => unknown, messages: (string | Buffer)[]): Promise<string[]> {
    @WebSocketGateway({ path: '/chat' })
    class End {
      @SubscribeMessage('the end') async end() {
        await new Promise(setImmediate)
        return 'the end'
      }
    }
    const { connect } = await start(subject, { providers: [gateway, End] })
    const { socket, next } = await connect('/chat')
    for (const message of [...messages, '{"event":"the end"}']) socket.send(message)
    const got: string[] = []
    for (let answer = await next(); answer !== '"the end"'; answer = await next()) got.push(answer)
    return got
  }

  const values: [what: string, value: unknown, sent: string[]][] = [
    ['an object', { event: 'a', data: { b: 1 } }, ['{"event":"a","data":{"b":1}}']],
    ['a string', 'text', ['"text"']],
    ['a number', 0, ['0']],
    ['an empty string', '', ['""']],
    ['false', false, ['false']],
    ['a list', [1, 2], ['[1,2]']],
    ['a date', new Date(0), ['"1970-01-01T00:00:00.000Z"']],
    ['undefined', undefined, []],
    ['null', null, []],
    ['an observable', from([1, null, 2]), ['1', '2']],
    ['an observable of messages', of('x').pipe(map((data) => ({ event: 'e', data }))), ['{"event":"e","data":"x"}']]
  ]
  test.each(values)('answers with %s that a handler returns, or promises', async (_what, value, sent) => {
    @WebSocketGateway({ path: '/chat' })
    class Chat {
      @SubscribeMessage('now') now() {
        return value
      }
      @SubscribeMessage('later') async later() {
        return value
      }
    }
    expect(await answers(Chat, ['{"event":"now"}'])).toEqual(sent)
    expect(await answers(Chat, ['{"event":"later"}'])).toEqual(sent)
  })

  test('unsubscribes from an observable when the client leaves', async () => {
    const [asked, left] = [signal(), signal()]
    @WebSocketGateway({ path: '/chat' })
    class Chat {
      @SubscribeMessage('forever') forever(): Observable<never> {
        setImmediate(asked.give)
        return NEVER.pipe(finalize(left.give))
      }
    }
    const { connect } = await start(subject, { providers: [Chat] })
    const { socket } = await connect('/chat')
    socket.send('{"event":"forever"}')
    await asked.given
    socket.close()
    await left.given
  })

  test('calls a handler without decorators with the socket and the data', async () => {
    @WebSocketGateway({ path: '/chat' })
    class Chat {
      @SubscribeMessage('say') say(client: WebSocket, data: unknown) {
        return [typeof client.send, data]
      }
    }
    expect(await answers(Chat, ['{"event":"say","data":[1]}', '{"event":"say"}'])).toEqual([
      '["function",[1]]',
      '["function",null]'
    ])
  })

  test('has the parameters @MessageBody, with a key and a pipe, and @ConnectedSocket', async () => {
    const double: PipeTransform = { transform: (value: number) => value * 2 }
    @WebSocketGateway({ path: '/chat' })
    class Chat {
      @SubscribeMessage('add')
      add(@MessageBody('n', double) n: number, @ConnectedSocket() client: WebSocket, @MessageBody() body: object) {
        return [n, client.readyState, body]
      }
    }
    expect(await answers(Chat, ['{"event":"add","data":{"n":2}}'])).toEqual(['[4,1,{"n":2}]'])
  })

  test('understands JSON in binary messages', async () => {
    @WebSocketGateway({ path: '/chat' })
    class Chat {
      @SubscribeMessage('say') say(@MessageBody() text: string) {
        return text
      }
    }
    expect(await answers(Chat, [Buffer.from('{"event":"say","data":"é"}')])).toEqual(['"é"'])
  })

  const dropped = [
    'null',
    '[]',
    '"say"',
    '1',
    'true',
    '',
    ' ',
    '{',
    '{}',
    '{"data":1}',
    '{"event":null}',
    '{"event":["say"]}',
    '{"event":{"toString":"say"}}',
    '{"event":"SAY"}',
    '{"event":"unknown"}',
    '{"event":"constructor"}',
    '{"event":"__proto__"}',
    '{"__proto__":{"event":"say"}}',
    '\u0000',
    Buffer.from([0xff, 0xfe]),
    Buffer.alloc(0)
  ]
  test('drops messages that it does not understand, and answers later ones', async () => {
    const calls: unknown[] = []
    @WebSocketGateway({ path: '/chat' })
    class Chat {
      @SubscribeMessage('say') say(@MessageBody() text: string) {
        calls.push(text)
        return text
      }
    }
    expect(await answers(Chat, [...dropped, '{"event":"say","data":"still here"}'])).toEqual(['"still here"'])
    expect(calls).toEqual(['still here'])
  })

  const parse = (data: unknown) => {
    const [event, payload] = JSON.parse(String(data)) as [string, unknown]
    return { event, data: payload }
  }
  const parsers: [how: string, make: (app: never, { Adapter }: Subject) => InstanceType<Subject['Adapter']>][] = [
    ['an option', (app, { Adapter }) => new Adapter(app, { messageParser: parse })],
    [
      'setMessageParser()',
      (app, { Adapter }) => {
        const adapter = new Adapter(app)
        adapter.setMessageParser(parse)
        return adapter
      }
    ]
  ]
  test.each(parsers)('parses messages of another format, given as %s', async (_how, make) => {
    @WebSocketGateway({ path: '/chat' })
    class Chat {
      @SubscribeMessage('say') say(@MessageBody() text: string) {
        return text
      }
    }
    const { connect } = await start(subject, { providers: [Chat], adapter: (app) => make(app as never, subject) })
    const { socket, next } = await connect('/chat')
    socket.send('{"event":"say","data":"lost"}')
    socket.send('["say","hello"]')
    expect(await next()).toBe('"hello"')
  })

  test('gives a parser text as a string and binary as a Buffer, and drops a message for which it returns nothing', async () => {
    const given: unknown[] = []
    @WebSocketGateway({ path: '/chat' })
    class Chat {
      @SubscribeMessage('say') say(@MessageBody() text: string) {
        return text
      }
    }
    const messageParser = (data: unknown) => {
      given.push(typeof data === 'string' ? 'string' : Buffer.isBuffer(data))
      if (String(data) !== 'drop me') return { event: 'say', data: String(data) }
      return undefined
    }
    const adapter = (app: object) => new Adapter(app, { messageParser })
    const { connect } = await start(subject, { providers: [Chat], adapter })
    const { socket, next } = await connect('/chat')
    for (const message of ['drop me', 'text', Buffer.from('binary')]) socket.send(message)
    expect([await next(), await next()]).toEqual(['"text"', '"binary"'])
    expect(given).toEqual(['string', 'string', true])
  })

  test('survives a parser that throws', async () => {
    @WebSocketGateway({ path: '/chat' })
    class Chat {
      @SubscribeMessage('say') say(@MessageBody() text: string) {
        return text
      }
    }
    const messageParser = (data: unknown) => {
      if (String(data) === 'broken') throw new Error('broken')
      return { event: 'say', data: String(data) }
    }
    const { connect } = await start(subject, {
      providers: [Chat],
      adapter: (app) => new Adapter(app, { messageParser })
    })
    const { socket, next } = await connect('/chat')
    socket.send('broken')
    socket.send('fine')
    expect(await next()).toBe('"fine"')
  })

  test('runs guards of a method for each of its messages', async () => {
    const seen: unknown[] = []
    const guard: CanActivate = {
      canActivate(context: ExecutionContext) {
        const ws = context.switchToWs()
        seen.push([context.getType(), ws.getPattern(), ws.getData(), context.getClass(), context.getHandler().name])
        return ws.getData() !== 'secret'
      }
    }
    @WebSocketGateway({ path: '/chat' })
    class Chat {
      @UseGuards(guard) @SubscribeMessage('say') say(@MessageBody() text: string) {
        return text
      }
      @SubscribeMessage('free') free() {
        return 'free'
      }
    }
    const sent = await answers(Chat, [
      '{"event":"say","data":"secret"}',
      '{"event":"say","data":"hello"}',
      '{"event":"free"}'
    ])
    const { exception, others } = split(sent)
    expect(others.sort()).toEqual(['"free"', '"hello"'])
    expect(exception).toEqual(exceptionOf('Forbidden resource', 'say', 'secret'))
    expect(seen).toEqual([
      ['ws', 'say', 'secret', Chat, 'say'],
      ['ws', 'say', 'hello', Chat, 'say']
    ])
  })

  test('runs interceptors and pipes of class and method', async () => {
    const wrap = (name: string) => ({
      intercept: (context: ExecutionContext, next: CallHandler) =>
        next.handle().pipe(map((value: unknown) => `${name}:${context.switchToWs().getPattern()}(${value})`))
    })
    const pipe = (name: string): PipeTransform => ({
      transform: (value: unknown, { type }) => (type === 'body' ? `${name}(${value})` : value)
    })
    @UseInterceptors(wrap('outer'))
    @UsePipes(pipe('first'))
    @WebSocketGateway({ path: '/chat' })
    class Chat {
      @UseInterceptors(wrap('inner')) @UsePipes(pipe('second')) @SubscribeMessage('say') say(
        @MessageBody() text: string
      ) {
        return text
      }
    }
    expect(await answers(Chat, ['{"event":"say","data":"x"}'])).toEqual(['"outer:say(inner:say(second(first(x))))"'])
  })

  /** With WsAdapter, NestJS 11 sends nothing: it emits an event of the socket. */
  const isSent = isOurs || version !== 11
  const exceptionOf = (message: string, pattern: string, data: unknown) =>
    !isSent ? [] : [{ event: 'exception', data: { status: 'error', message, cause: { pattern, data } } }]
  const split = (sent: string[]) => ({
    exception: sent.filter((text) => text.includes('exception')).map((text) => JSON.parse(text)),
    others: sent.filter((text) => !text.includes('exception'))
  })

  const faults: [how: string, message: string, fail: () => unknown][] = [
    [
      'throws a WsException',
      'nope',
      () => {
        throw new WsException('nope')
      }
    ],
    [
      'throws an error',
      'Internal server error',
      () => {
        throw new Error('a secret')
      }
    ],
    [
      'throws a string',
      'Internal server error',
      () => {
        throw 'a secret'
      }
    ],
    ['rejects', 'nope', () => Promise.reject(new WsException('nope'))],
    ['returns an observable that fails', 'nope', () => throwError(() => new WsException('nope'))]
  ]
  test.each(faults)('sends an exception if a handler %s, and answers later messages', async (_how, message, fail) => {
    const local: unknown[] = []
    @WebSocketGateway({ path: '/chat' })
    class Chat {
      handleConnection(client: WebSocket) {
        client.on('exception', (value: unknown) => local.push({ event: 'exception', data: value }))
      }
      @SubscribeMessage('fail') fail() {
        return fail()
      }
      @SubscribeMessage('say') say(@MessageBody() text: string) {
        return text
      }
    }
    const sent = await answers(Chat, ['{"event":"fail","data":7}', '{"event":"say","data":"still here"}'])
    const { exception, others } = split(sent)
    expect(others).toEqual(['"still here"'])
    const told = { event: 'exception', data: { status: 'error', message, cause: { pattern: 'fail', data: 7 } } }
    expect(isSent ? exception : local).toEqual([told])
  })

  test('calls exception filters, which may send what they like', async () => {
    @Catch(WsException)
    class Filter {
      catch(exception: InstanceType<typeof WsException>, host: { switchToWs(): { getClient(): WebSocket } }) {
        host
          .switchToWs()
          .getClient()
          .send(JSON.stringify({ event: 'error', data: exception.getError() }))
      }
    }
    @WebSocketGateway({ path: '/chat' })
    @UseFilters(new Filter())
    class Chat {
      @SubscribeMessage('fail') fail() {
        throw new WsException({ code: 7 })
      }
    }
    expect(await answers(Chat, ['{"event":"fail"}'])).toEqual(['{"event":"error","data":{"code":7}}'])
  })

  test('answers messages that arrive together with the handshake, in order', async () => {
    @WebSocketGateway({ path: '/chat' })
    class Chat {
      @SubscribeMessage('say') say(@MessageBody() text: string) {
        return text
      }
    }
    const messages = Array.from({ length: 100 }, (_, i) => JSON.stringify({ event: 'say', data: i }))
    expect(await answers(Chat, messages)).toEqual(messages.map((_, i) => String(i)))
  })
})
