import { AsyncLocalStorage } from 'node:async_hooks'
import { createServer } from 'node:http'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { connect, RefusedError } from '../src/index.ts'
import { Unread } from '../src/unread.ts'
import { accepting, answering, brief, said } from './server.ts'

describe('a server that sends without end', () => {
  test('regression: messages that are not read were kept without bound; now the connection is terminated with an error', async () => {
    const large = Buffer.alloc(1_048_576, 'x')
    const server = accepting((socket) => {
      const send = (): void => socket.send(large, (error) => error ?? setImmediate(send))
      send()
    })
    const client = await connect(server)
    expect(await client.closed).toEqual({ code: 1006, reason: '', clean: false })
    let count = 0
    for await (const message of client) count += message.length / large.length
    expect([count >= 60, count <= 64]).toEqual([true, true])
    expect(await said(client.next())).toContain(
      'closed with 1006 (not clean): 64 unread messages exceed the limit of a test client.'
    )
  })

  test('regression: all messages that were read were kept, for a sentence that shows the last three', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const server = accepting((socket) => {
      for (let count = 0; count < 5; count++) socket.send(Buffer.alloc(100_000, count))
    })
    using client = await connect(server, '/', brief)
    const read = async (): Promise<WeakRef<object>> => new WeakRef((await client.next()) as Buffer)
    const first = await read()
    for (let count = 1; count < 5; count++) await read()
    for (let tries = 0; tries < 20 && first.deref() !== undefined; tries++) {
      await new Promise(setImmediate)
      collect()
    }
    expect(first.deref()).toBeUndefined()
    expect(await said(client.next())).toMatch(/ Received and read 5 messages: …, 100000 bytes \(0202/)
  })

  test('small messages count with their overhead, and are read in constant time each', () => {
    const unread = new Unread()
    for (let count = 0; count < 200_000; count++) unread.push('')
    expect(unread.cost).toBe(200_000 * 256)
    let taken = 0
    while (unread.shift() !== undefined) taken++
    expect(taken).toBe(200_000)
    expect([unread.count, unread.cost, unread.last(3)]).toEqual([0, 0, []])
  })

  test('regression: a refusal with an endless body filled the memory until the timeout', async () => {
    const piece = 'x'.repeat(1_048_576)
    const server = createServer((_req, res) => {
      res.writeHead(403)
      const write = (): void => {
        while (!res.destroyed && res.write(piece)) {}
        if (!res.destroyed) res.once('drain', write)
      }
      write()
    })
    expect(await said(connect(server))).toMatch(
      /^connect: the handshake of \/ failed: the response body is too long: got \d+ characters\. Received status 403 and a body/
    )
  })
})

describe('text from the other end is shown with terminal control characters escaped', () => {
  const wild = '\u001b[2J\u009b\u007f'

  test('in the body of a refusal', async () => {
    const server = answering((_req, res) => void res.writeHead(403).end(`${wild}\r\nline\n${' '.repeat(65_536)}x`))
    const error = (await connect(server).catch((thrown: unknown) => thrown)) as RefusedError
    expect(error).toBeInstanceOf(RefusedError)
    expect(error.message).toMatch(/^the handshake of \/ was refused with 403: \\u001b\[2J\\u009b\\u007f\nline\n *…$/)
    expect(error.message.length).toBeLessThan(2_200)
    expect(error.body).toHaveLength(wild.length + 2 + 5 + 65_537)
  })

  test('in a message and in a close reason', async () => {
    const server = accepting((socket) => {
      socket.send(wild)
      socket.close(4_000, wild)
    })
    const client = await connect(server)
    await client.next()
    const sentence = await said(client.next())
    expect(sentence).not.toMatch(/\p{Cc}/u)
    expect(sentence).toContain('closed with 4000 "\\u001b[2J\\u009b\\u007f"')
  })
})

describe('a mistake in the call is a TypeError, whatever the value', () => {
  const circular: Record<string, unknown> = {}
  circular.self = circular
  const bare = Object.create(null)

  test.each([
    ['a circular list', { subprotocols: circular }, 'subprotocols: expected a list of strings; got an object'],
    ['a BigInt', { port: 1n }, 'port: expected true or false; got 1'],
    ['a Symbol', { origin: Symbol('\u001b') }, 'got Symbol(\\u001b)'],
    ['a function', { tls: () => {} }, 'tls: expected an object with options of tls.connect(); got a function'],
    ['an inherited name', JSON.parse('{"__proto__":1}'), "unknown option '__proto__'; see https://"],
    ['a name with control characters', { '\u001b\r\n': 1 }, "unknown option '\\u001b\\u000a'; see https://"]
  ])('%s', async (_name, options, sentence) => {
    const error = await connect(
      accepting(() => {}),
      '/',
      options as never
    ).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(TypeError)
    expect((error as Error).message).toContain(sentence)
  })

  test.each([
    ['a target', [bare], 'a server or a URL; got {}'],
    ['a path', [accepting(() => {}), 7], "path: expected a string that starts with '/'; got 7"],
    ['null as a path', [accepting(() => {}), null], "path: expected a string that starts with '/'; got null"]
  ])('%s', async (_name, args, sentence) => {
    const error = await (connect as (...given: unknown[]) => Promise<unknown>)(...args).catch(
      (thrown: unknown) => thrown
    )
    expect(error).toBeInstanceOf(TypeError)
    expect((error as Error).message).toContain(sentence)
  })
})

test('regression: a time of more than 24 days was over at once', async () => {
  const server = accepting((socket) => setImmediate(() => socket.send('late')))
  using client = await connect(server, '/', { timeoutMs: 10 ** 12 })
  expect(await client.next()).toBe('late')
})

test('regression: a ping that is too long left a listener behind', async () => {
  using client = await connect(
    accepting(() => {}),
    '/',
    brief
  )
  await expect(client.ping('x'.repeat(126))).rejects.toThrow(RangeError)
  expect(client.socket.listenerCount('pong')).toBe(0)
})

test.each([
  ['in memory', false],
  ['over a port', true]
])(
  'regression: a server, %s, saw the AsyncLocalStorage of the test, and the test that of the server',
  async (_way, port) => {
    const storage = new AsyncLocalStorage<string>()
    const stores: Record<string, unknown> = {}
    const server = accepting((socket) => {
      stores.handler = storage.getStore()
      socket.on('message', () => {
        stores.listener = storage.getStore()
        storage.run('server', () => socket.send('answer'))
      })
    })
    const client = await storage.run('test', () => connect(server, '/', { port }))
    client.socket.on('message', () => {
      stores.client = storage.getStore()
    })
    storage.run('sender', () => client.send('question'))
    expect(await client.next()).toBe('answer')
    await client.close()
    expect(stores).toEqual({ handler: undefined, listener: undefined, client: 'test' })
  }
)
