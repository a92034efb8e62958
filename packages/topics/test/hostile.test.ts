import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { takePrinted } from '@oneport/test-kit'
import type { WebSocket } from 'ws'
import { Context } from '../src/context.ts'
import { type Backplane, createTopics, MemoryHub, memoryBackplane, type TopicsOptions } from '../src/index.ts'
import { Link } from '../src/link.ts'
import { resolveOptions } from '../src/options.ts'
import { show, showFault, showStack } from '../src/show.ts'
import { atEnd, serveBare, stopAll } from './pair.ts'

afterEach(stopAll)

const turn = (): Promise<void> => new Promise(setImmediate)

const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

const throwing = (): never => {
  throw new Error('of a getter')
}

/** Values that break most ways of printing them. */
const unprintable: [name: string, value: unknown][] = [
  ['an object without a prototype', Object.create(null)],
  ['a revoked Proxy', revoked()],
  ['a Symbol', Symbol('\u001b[31m')],
  ['an object with a toStringTag getter that throws', Object.defineProperty({}, Symbol.toStringTag, { get: throwing })],
  ['a function that cannot be printed', Object.assign(() => {}, { toString: throwing })],
  ['an Error with a stack getter that throws', Object.defineProperty(new Error('x'), 'stack', { get: throwing })],
  [
    'an Error with a stack that is not a string',
    Object.defineProperty(new Error('x'), 'stack', { value: Object.create(null) })
  ],
  ['a string of 64 KiB', '\u001b'.repeat(65_536)],
  ['an Error with 64 KiB of line breaks', new Error('\r\n'.repeat(32_768))],
  ['an Error with 64 KiB of spaces', new Error(' '.repeat(65_536))],
  ['undefined', undefined]
]

describe('any value can be shown', () => {
  const controls = /[\p{Cc}\u2028\u2029]/u

  test.each(unprintable)('%s', (_name, value) => {
    for (const text of [show(value), showFault(value), showStack(value).replaceAll('\n    ', '')]) {
      expect(text).not.toMatch(controls)
      expect(text.length).toBeLessThan(15_000)
    }
  })

  test('on one line, with terminal control characters escaped', () => {
    expect(show('a\r\n\u001b[2J\u009b')).toBe("'a\\u000d\\u000a\\u001b[2J\\u009b'")
  })
})

describe('the sockets that a message excludes', () => {
  const three = async () => {
    const topics = createTopics()
    const server = await serveBare()
    const sockets: WebSocket[] = []
    for (let count = 0; count < 3; count++) {
      const { socket } = await server.connect()
      topics.subscribe(socket, 'a')
      sockets.push(socket)
    }
    return { topics, sockets: sockets as [WebSocket, WebSocket, WebSocket] }
  }

  test('regression: a list was ignored, and null threw once some sockets had the message', async () => {
    const { topics, sockets } = await three()
    const [ada, bob] = sockets
    expect(topics.publish('a', 'x', { except: [ada, bob] })).toBe(1)
    expect(topics.publish('a', 'x', { except: [] })).toBe(3)
    expect(topics.publish('a', 'x', { except: new Map([[ada, 1]]).keys() })).toBe(2)
    expect(topics.publish('a', 'x', { except: null })).toBe(3)
    expect(topics.publish('a', 'x', { except: undefined })).toBe(3)
  })

  test.each([
    ['a name', 'ada', "publish: except: expected a WebSocket of ws, or several in a Set or a list; got 'ada'"],
    ['a number', 7, 'publish: except: expected a WebSocket of ws, or several in a Set or a list; got 7'],
    [
      'something else',
      {},
      'publish: except: expected a WebSocket of ws, or several in a Set or a list; got [object Object]'
    ],
    ['false', false, 'publish: except: expected a WebSocket of ws, or several in a Set or a list; got false'],
    ['a list of something else', [{}], 'publish: except: expected a list of WebSockets of ws; got [object Object]'],
    ['a list with a gap', [undefined], 'publish: except: expected a list of WebSockets of ws; got undefined']
  ])('cannot be %s, which throws before any socket gets the message', async (_name, except, message) => {
    const { topics } = await three()
    expect(() => topics.publish('a', 'x', { except: except as never })).toThrow(new TypeError(message))
    expect(topics.stats()).toMatchObject({ published: 0, delivered: 0 })
  })

  test('run no code while the message is delivered', async () => {
    const { topics, sockets } = await three()
    const asked = Object.assign(new Set(sockets.slice(0, 2)), { has: throwing })
    expect(topics.publish('a', 'x', { except: asked })).toBe(1)
  })
})

describe('errors reported to the application', () => {
  const broken = async (options: TopicsOptions) => {
    const topics = createTopics(options)
    const server = await serveBare()
    const [one, other] = [await server.connect(), await server.connect()]
    const { _socket } = one.socket as unknown as { _socket: Duplex }
    for (const { socket } of [one, other]) topics.subscribe(socket, 'a')
    return { topics, one, other, rawSocket: _socket }
  }

  test.each(unprintable)(
    'regression: an onError that throws ended the process; now the others get their message (%s)',
    async (_name, value) => {
      const { topics, other, rawSocket } = await broken({
        onError: () => {
          throw value
        }
      })
      rawSocket.write = () => {
        throw value
      }
      expect(topics.publish('a', 'hello')).toBe(1)
      expect(await other.client.next()).toBe('hello')
      const printed = takePrinted()
      expect(printed).toHaveLength(1)
      expect(printed[0]).toMatch(/^oneport: onError failed: [^\n]+(?:\n {4}[^\n]*)*\n {4}It was called with [^\n]+$/)
      expect(topics.stats().failed).toBe(1)
    }
  )

  test.each([
    ['rejects', async () => throwing()],
    ['returns a thenable that throws', () => Object.defineProperty({}, 'then', { value: throwing }) as never],
    ['returns a thenable with a throwing getter', () => Object.defineProperty({}, 'then', { get: throwing }) as never],
    ['returns a revoked Proxy', () => revoked() as never]
  ])('an onError that %s is reported on stderr too', async (_name, onError) => {
    const { topics, rawSocket } = await broken({ onError })
    rawSocket.write = throwing
    topics.publish('a', 'hello')
    await turn()
    expect(takePrinted()).toEqual([expect.stringMatching(/^oneport: onError failed: /)])
  })

  test('regression: an onBackplaneError that throws ended the process; now the message is still confirmed', async () => {
    const hub = new MemoryHub()
    hub.health = 'down'
    const topics = createTopics({ backplane: memoryBackplane(hub), onBackplaneError: throwing })
    expect(await topics.publishAndConfirm('a', 'x')).toMatchObject({ local: 0, backplane: 'failed' })
    expect(takePrinted()).toEqual([
      expect.stringMatching(
        /^oneport: onBackplaneError failed: Error: of a getter(?:\n {4}at [^\n]+)+\n {4}It was called with Error: The hub is down\.$/
      )
    ])
  })

  test('regression: an onError that subscribes the socket again made the delivery endless', async () => {
    let told = 0
    const { topics, one, rawSocket } = await broken({
      onError: (_error, socket) => {
        if (++told > 10) throw new Error('without end')
        topics.unsubscribe(socket, 'a')
        topics.subscribe(socket, 'a')
      }
    })
    rawSocket.write = throwing
    expect(topics.publish('a', 'hello')).toBe(1)
    expect(told).toBe(1)
    expect(topics.subscribers('a')).toContain(one.socket)
  })

  test('close() never rejects, and releases all sockets if one throws', async () => {
    const faults: unknown[] = []
    const { topics, one } = await broken({ onError: (error) => faults.push(error) })
    one.socket.off = throwing
    await topics.close()
    expect(faults).toEqual([new Error('of a getter')])
    expect(topics.stats()).toMatchObject({ sockets: 0, topics: 0, subscriptions: 0, failed: 1 })
  })
})

describe('a backplane', () => {
  const whole: Backplane = {
    publish: async () => {},
    subscribe: async () => {},
    unsubscribe: async () => {},
    health: () => 'up',
    close: async () => {}
  }

  const node = async (backplane: Backplane) => {
    const errors: [error: string, topic: string][] = []
    const topics = createTopics({ backplane, onBackplaneError: (error, topic) => errors.push([String(error), topic]) })
    atEnd(() => topics.close())
    const { socket } = await (await serveBare()).connect()
    return { topics, errors, socket }
  }

  test('may throw instead of rejecting', async () => {
    const { topics, errors, socket } = await node({
      ...whole,
      publish: throwing,
      subscribe: throwing,
      unsubscribe: throwing,
      close: throwing
    })
    topics.subscribe(socket, 'a')
    expect(await topics.publishAndConfirm('a', 'x')).toMatchObject({ local: 1, backplane: 'failed' })
    topics.unsubscribe(socket, 'a')
    await topics.close()
    expect(errors.map(([, topic]) => topic)).toEqual(['a', 'a', ''])
  })

  test('may return something other than a promise', async () => {
    const nothing = (() => {}) as never
    const { topics, errors, socket } = await node({
      ...whole,
      publish: nothing,
      subscribe: nothing,
      unsubscribe: nothing,
      close: nothing
    })
    topics.subscribe(socket, 'a')
    expect(await topics.publishAndConfirm('a', 'x')).toEqual({ local: 1, backplane: 'sent' })
    topics.unsubscribe(socket, 'a')
    await topics.close()
    expect(errors).toEqual([])
  })

  test.each([
    ['throws', throwing, 'Error: of a getter'],
    ['says nothing', () => undefined as never, "TypeError: health: expected 'up', 'partial' or 'down'; got undefined"],
    ['rejects', async () => throwing(), "TypeError: health: expected 'up', 'partial' or 'down'; got [object Promise]"],
    [
      'says something else',
      () => revoked() as never,
      "TypeError: health: expected 'up', 'partial' or 'down'; got an object"
    ]
  ])(
    'regression: a health() that %s ended the process from a timer; now the backplane counts as down, reported once',
    async (_name, health, error) => {
      let asked = 0
      let isWell = false
      const { topics, errors, socket } = await node({
        ...whole,
        health: () => {
          asked++
          return isWell ? 'up' : (health() as never)
        }
      })
      topics.subscribe(socket, 'a')
      const before = asked
      // Through the timer.
      while (asked < before + 2) await turn()
      expect(topics.stats().backplane).toMatchObject({ health: 'down', missing: 1 })
      expect(errors).toEqual([[error, '']])
      isWell = true
      while (topics.stats().backplane?.missing !== 0) await turn()
      isWell = false
      expect(topics.stats().backplane?.health).toBe('down')
      expect(errors).toHaveLength(2)
    }
  )

  test('may deliver anything', async () => {
    let receive: (bytes: Buffer, topic: string) => void = () => {}
    const { topics, errors, socket } = await node({
      ...whole,
      subscribe: async (_topic, given) => {
        receive = given
      }
    })
    topics.subscribe(socket, 'a')
    for (const bytes of ['text', null, undefined, {}, revoked(), Buffer.alloc(65_536), Buffer.alloc(0)])
      receive(bytes as never, 'a')
    receive(Buffer.alloc(10), revoked() as never)
    expect(topics.stats().backplane).toMatchObject({ foreign: 7, received: 0 })
    expect(errors).toEqual([[expect.stringContaining('revoked'), 'a']])
  })

  describe('memory for topics that come and go is bounded', () => {
    const context = new Context()
    const listeners = { receive: () => {}, notice: () => true, lost: () => {}, onError: () => {} }

    test('regression: by the subscribed topics, while the backplane is down', () => {
      const link = new Link({ ...whole, health: () => 'down' }, listeners, context)
      for (let index = 0; index < 10_000; index++) {
        link.want(`${index}`)
        link.release(`${index}`)
      }
      expect(link.unsettled).toBe(0)
      link.want('a')
      expect(link.unsettled).toBe(1)
      void link.close()
    })

    test('regression: by the number of concurrent calls, while the backplane does not answer', async () => {
      const answers: (() => void)[] = []
      const link = new Link(
        { ...whole, subscribe: () => new Promise<void>((resolve) => answers.push(resolve)) },
        listeners,
        context
      )
      for (let index = 0; index < 10_000; index++) {
        link.want(`${index}`)
        link.release(`${index}`)
      }
      link.want('last')
      expect(answers).toHaveLength(1_000)
      expect(link.unsettled).toBe(1_001)
      expect(link.stats).toMatchObject({ topics: 0, missing: 1 })
      while (link.unsettled > 0) {
        for (const answer of answers.splice(0)) answer()
        await turn()
      }
      expect(link.stats).toMatchObject({ topics: 1, missing: 0 })
      void link.close()
    })

    test('regression: at ten thousand, if the backplane cannot unsubscribe from any', async () => {
      const errors: string[] = []
      const link = new Link(
        { ...whole, unsubscribe: throwing },
        { ...listeners, onError: (error) => errors.push(String(error)) },
        context
      )
      for (let round = 0; round < 12; round++) {
        for (let index = 0; index < 1_000; index++) {
          link.want(`${round} ${index}`)
          link.release(`${round} ${index}`)
        }
        await turn()
      }
      link.want('one more')
      await turn()
      expect(link.stats).toMatchObject({ topics: 10_000, missing: 1 })
      expect(errors).toContain('Error: The backplane has failed to unsubscribe from 10000 topics.')
      void link.close()
    }, 30_000)
  })
})

describe('the AsyncLocalStorage of one client does not leak to another', () => {
  const storage = new AsyncLocalStorage<string>()

  test('regression: through the shared timer that writes waiting messages', async () => {
    const stores: unknown[] = []
    let told = (): void => {}
    const isTold = new Promise<void>((resolve) => {
      told = resolve
    })
    const topics = createTopics({
      onError: () => {
        stores.push(storage.getStore())
        told()
      }
    })
    const { socket } = await (await serveBare()).connect()
    topics.subscribe(socket, 'a')
    socket.send('begun', { fin: false })
    storage.run('ada', () => topics.publish('a', 'waits'))
    const { _socket } = socket as unknown as { _socket: Duplex }
    storage.run('bob', () => socket.send('done', { fin: true }))
    _socket.write = throwing
    await isTold
    expect(stores).toEqual([undefined])
  })

  test('regression: through the write of a tick', async () => {
    const stores: unknown[] = []
    const topics = createTopics({ onError: () => stores.push(storage.getStore()) })
    const server = await serveBare()
    const [ada, bob] = [await server.connect(), await server.connect()]
    topics.subscribe(ada.socket, 'a')
    topics.subscribe(bob.socket, 'b')
    const { _socket } = bob.socket as unknown as { _socket: Duplex }
    storage.run('ada', () => topics.publish('a', 'x'))
    storage.run('bob', () => topics.publish('b', 'x'))
    _socket.uncork = throwing
    await turn()
    Reflect.deleteProperty(_socket, 'uncork')
    expect(stores).toEqual([undefined])
    // An error in the call itself belongs to its caller.
    _socket.write = throwing
    storage.run('bob', () => topics.publish('b', 'x'))
    expect(stores).toEqual([undefined, 'bob'])
    _socket.uncork()
  })

  test('regression: through a backplane that is called again and delivers messages', async () => {
    const stores: [what: string, store: unknown][] = []
    const saw = (what: string): void => void stores.push([what, storage.getStore()])
    const hub = new MemoryHub()
    const inner = memoryBackplane(hub)
    hub.health = 'down'
    const topics = createTopics({
      backplane: {
        ...inner,
        subscribe: async (topic, receive) => {
          saw('subscribe')
          await inner.subscribe(topic, receive)
        }
      },
      onBackplaneError: () => saw('onBackplaneError'),
      onError: () => saw('onError')
    })
    atEnd(() => topics.close())
    const { socket } = await (await serveBare()).connect()
    storage.run('ada', () => topics.subscribe(socket, 'a'))
    hub.health = 'up'
    while (stores.length === 0) await turn()
    await turn()
    const { _socket } = socket as unknown as { _socket: Duplex }
    _socket.write = throwing
    const other = createTopics({ backplane: memoryBackplane(hub) })
    atEnd(() => other.close())
    storage.run('bob', () => other.publish('a', 'x'))
    await turn()
    hub.health = 'down'
    await storage.run('bob', () => topics.publishAndConfirm('b', 'x'))
    expect(stores).toEqual([
      ['subscribe', undefined],
      ['onError', undefined],
      ['onBackplaneError', 'bob']
    ])
  })
})

describe('names', () => {
  test.each(['toString', 'constructor', '__proto__', 'hasOwnProperty'])(
    'regression: %s counted as a known option',
    (name) => {
      const options = JSON.parse(`{"${name}":1}`)
      expect(() => resolveOptions(options)).toThrow(`createTopics: unknown option '${name}'; see https://`)
    }
  )

  test('of topics and options that are long or contain control characters give a short message on one line', async () => {
    const wild = '\u001b[2J\r\n'.repeat(16_384)
    const topics = createTopics()
    const { socket } = await (await serveBare()).connect()
    for (const refuse of [
      () => topics.subscribe(socket, wild),
      () => resolveOptions({ [wild]: 1 } as never),
      () => resolveOptions({ whenSlow: wild as never }),
      () => topics.publish('a', revoked() as never)
    ]) {
      expect(refuse).toThrow(/^[^\p{Cc}]{1,1000}$/u)
    }
  })

  test('a socket that closes at that moment leaves nothing behind', async () => {
    const topics = createTopics()
    const { socket } = await (await serveBare()).connect()
    topics.subscribe(socket, 'a')
    const left = once(socket, 'close')
    socket.terminate()
    topics.publish('a', 'x')
    await left
    expect(topics.stats()).toMatchObject({ sockets: 0, failed: 0 })
  })
})
