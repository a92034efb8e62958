import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { createTopics } from '../src/index.ts'
import { readBytes, serveBare, stopAll } from './pair.ts'

afterEach(stopAll)

const rawSocketOf = (socket: WebSocket): Duplex => (socket as unknown as { _socket: Duplex })._socket

/** The sizes of the chunks in each write call. */
function watchWrites(socket: WebSocket): number[] {
  const rawSocket = rawSocketOf(socket)
  const calls: number[] = []
  const write = rawSocket._write
  const writev = rawSocket._writev as NonNullable<Duplex['_writev']>
  rawSocket._write = (chunk, ...rest) => {
    calls.push(1)
    write.call(rawSocket, chunk, ...rest)
  }
  rawSocket._writev = (chunks, done) => {
    calls.push(chunks.length)
    writev.call(rawSocket, chunks, done)
  }
  return calls
}

test('a message is one frame, in one write, in one piece', async () => {
  const topics = createTopics()
  const { raw, socket } = await (await serveBare()).connectRaw()
  const calls = watchWrites(socket)
  topics.subscribe(socket, 'news')
  expect(topics.publish('news', 'hello')).toBe(1)
  expect((await readBytes(raw, 7)).toString('latin1')).toBe('\x81\x05hello')
  expect(calls).toEqual([1])
})

test('all sockets share the same buffer', async () => {
  const topics = createTopics()
  const server = await serveBare()
  const chunks: unknown[] = []
  for (let count = 0; count < 3; count++) {
    const { socket } = await server.connect()
    topics.subscribe(socket, 'news')
    const rawSocket = rawSocketOf(socket)
    rawSocket.write = new Proxy(rawSocket.write, {
      apply: (target, self, args) => {
        chunks.push(args[0])
        return Reflect.apply(target, self, args)
      }
    })
  }
  expect(topics.publish('news', 'hello')).toBe(3)
  expect(chunks).toHaveLength(3)
  expect(new Set(chunks).size).toBe(1)
})

test('messages published in one tick are sent in one write, in order', async () => {
  const topics = createTopics()
  const { raw, socket } = await (await serveBare()).connectRaw()
  const calls = watchWrites(socket)
  topics.subscribe(socket, 'a')
  topics.subscribe(socket, 'b')
  topics.publish('a', '1')
  await Promise.resolve()
  topics.publish('b', '2')
  topics.publish('a', Buffer.from('3'))
  expect((await readBytes(raw, 9)).toString('latin1')).toBe('\x81\x011\x81\x012\x82\x013')
  expect(calls).toEqual([3])
})

test('text and bytes are sent as such, unless an option says otherwise', async () => {
  const topics = createTopics()
  const { raw, socket } = await (await serveBare()).connectRaw()
  topics.subscribe(socket, 'a')
  topics.publish('a', 'x')
  topics.publish('a', Buffer.from('x'))
  topics.publish('a', 'x', { binary: true })
  topics.publish('a', Buffer.from('x'), { binary: false })
  expect((await readBytes(raw, 12)).toString('latin1')).toBe('\x81\x01x\x82\x01x\x82\x01x\x81\x01x')
})

test('except excludes one socket or a set of them', async () => {
  const topics = createTopics()
  const server = await serveBare()
  const pairs = [await server.connect(), await server.connect(), await server.connect()] as const
  const [ada, bob, eve] = pairs
  for (const { socket } of pairs) topics.subscribe(socket, 'a')
  expect(topics.publish('a', 'not ada', { except: ada.socket })).toBe(2)
  expect(topics.publish('a', 'eve alone', { except: new Set([ada.socket, bob.socket]) })).toBe(1)
  topics.publish('a', 'all')
  expect(await ada.client.next()).toBe('all')
  expect([await bob.client.next(), await bob.client.next()]).toEqual(['not ada', 'all'])
  expect([await eve.client.next(), await eve.client.next()]).toEqual(['not ada', 'eve alone'])
})

describe('next to what the application sends itself', () => {
  test('order is kept within a tick', async () => {
    const topics = createTopics()
    const { client, socket } = await (await serveBare()).connect()
    topics.subscribe(socket, 'a')
    socket.send('1')
    topics.publish('a', '2')
    socket.send('3')
    topics.publish('a', '4')
    for (const expected of ['1', '2', '3', '4']) expect(await client.next()).toBe(expected)
    expect(topics.stats()).toMatchObject({ delivered: 2, sent: 0 })
  })

  test.each([
    ['independent messages', true],
    ['messages that refer to each other', false]
  ])('order is kept while a message is deflated, with %s', async (_kind, serverNoContextTakeover) => {
    const topics = createTopics()
    const server = await serveBare({ perMessageDeflate: { serverNoContextTakeover, threshold: 0 } })
    const { client, socket } = await server.connect(true)
    topics.subscribe(socket, 'a')
    const text = (number: number): string => `${number}`.repeat(2_000)
    socket.send(text(1))
    topics.publish('a', text(2))
    topics.publish('a', text(3), { compress: false })
    socket.send(text(4))
    for (const number of [1, 2, 3, 4]) expect(await client.next()).toBe(text(number))
    // Nothing is pending any more.
    topics.publish('a', text(5))
    socket.send(text(6))
    topics.publish('a', text(7), { compress: false })
    for (const number of [5, 6, 7]) expect(await client.next()).toBe(text(number))
  })

  const blobTest = typeof Blob === 'undefined' ? test.skip : test
  blobTest('order is kept while the bytes of a Blob are read', async () => {
    const topics = createTopics()
    const { client, socket } = await (await serveBare()).connect()
    topics.subscribe(socket, 'a')
    socket.send(new Blob(['1']))
    topics.publish('a', '2')
    expect(await client.next()).toBe('1')
    expect(await client.next()).toBe('2')
    expect(topics.stats().sent).toBe(1)
  })

  test('a fragmented message is not interrupted: published messages wait for its end', async () => {
    const topics = createTopics()
    const { client, socket } = await (await serveBare()).connect()
    topics.subscribe(socket, 'a')
    socket.send('frag', { fin: false })
    expect(topics.publish('a', '2')).toBe(1)
    expect(topics.publish('a', '3')).toBe(1)
    socket.send('ment', { fin: true })
    for (const expected of ['fragment', '2', '3']) expect(await client.next()).toBe(expected)
  })

  test('messages that waited for a fragmented message are sent before later ones', async () => {
    const topics = createTopics()
    const { client, socket } = await (await serveBare()).connect()
    topics.subscribe(socket, 'a')
    socket.send('frag', { fin: false })
    topics.publish('a', '2')
    socket.send('ment', { fin: true })
    topics.publish('a', '3')
    for (const expected of ['fragment', '2', '3']) expect(await client.next()).toBe(expected)
  })

  test('nothing is sent after a close frame', async () => {
    const topics = createTopics()
    const { raw, socket } = await (await serveBare()).connectRaw()
    topics.subscribe(socket, 'a')
    expect(topics.publish('a', 'x')).toBe(1)
    socket.close(1000)
    expect(topics.publish('a', 'y')).toBe(0)
    expect((await readBytes(raw, 7)).toString('latin1')).toBe('\x81\x01x\x88\x02\x03\xe8')
    // The client's close frame, after which the server ends the connection.
    raw.write(Buffer.from([0x88, 0x80, 0, 0, 0, 0]))
    expect(raw.read()).toBeNull()
    await once(raw, 'end')
  })

  test('bufferedAmount includes what waits for the end of the tick', async () => {
    const topics = createTopics()
    const { socket } = await (await serveBare()).connect()
    topics.subscribe(socket, 'a')
    topics.publish('a', 'x'.repeat(100))
    expect(socket.bufferedAmount).toBe(102)
    await new Promise(setImmediate)
    expect(socket.bufferedAmount).toBe(0)
  })

  test('a publish from a listener of the same socket is written although its owner has corked it', async () => {
    const topics = createTopics()
    const { client, socket } = await (await serveBare()).connect()
    topics.subscribe(socket, 'a')
    rawSocketOf(socket).cork()
    topics.publish('a', 'x')
    await new Promise(setImmediate)
    expect(socket.bufferedAmount).toBe(3)
    rawSocketOf(socket).uncork()
    expect(await client.next()).toBe('x')
    expect(rawSocketOf(socket).writableCorked).toBe(0)
  })
})

describe('with permessage-deflate', () => {
  const offer = 'permessage-deflate; client_max_window_bits'

  test('all sockets with independent messages get the same compressed bytes, without a zlib stream', async () => {
    const topics = createTopics()
    const server = await serveBare({ perMessageDeflate: { serverNoContextTakeover: true, threshold: 0 } })
    const text = 'abc'.repeat(40)
    const pairs = [await server.connect(true), await server.connect(true)]
    for (const { socket } of pairs) topics.subscribe(socket, 'a')
    topics.publish('a', text)
    topics.publish('a', text)
    for (const { client } of pairs) expect([await client.next(), await client.next()]).toEqual([text, text])
    for (const { socket } of pairs) {
      const extensions = (socket as unknown as { _extensions: Record<string, { _deflate: unknown }> })._extensions
      expect(extensions['permessage-deflate']?._deflate).toBeNull()
    }
    expect(topics.stats()).toMatchObject({ delivered: 4, sent: 0 })
  })

  test('a compressed frame has RSV1 set, and one below the threshold of ws does not', async () => {
    const topics = createTopics()
    const server = await serveBare({ perMessageDeflate: { serverNoContextTakeover: true, threshold: 20 } })
    const { raw, socket } = await server.connectRaw(offer)
    topics.subscribe(socket, 'a')
    topics.publish('a', 'a'.repeat(19))
    topics.publish('a', 'a'.repeat(20))
    topics.publish('a', 'a'.repeat(20), { compress: false })
    const small = await readBytes(raw, 21)
    expect(small[0]).toBe(0x81)
    const head = await readBytes(raw, 2)
    expect(head[0]).toBe(0xc1)
    await readBytes(raw, head[1] as number)
    expect((await readBytes(raw, 22))[0]).toBe(0x81)
  })

  test('a connection whose messages refer to each other uses send', async () => {
    const topics = createTopics()
    const server = await serveBare({ perMessageDeflate: true })
    const { client, socket } = await server.connect(true)
    topics.subscribe(socket, 'a')
    for (let count = 0; count < 3; count++) topics.publish('a', 'abcabcabc')
    for (let count = 0; count < 3; count++) expect(await client.next()).toBe('abcabcabc')
    expect(topics.stats()).toMatchObject({ delivered: 3, sent: 3 })
  })

  test('clients of every kind get the message from one publish', async () => {
    const topics = createTopics()
    const server = await serveBare({ perMessageDeflate: { threshold: 0 } })
    const text = 'abc'.repeat(40)
    const alone = `${offer}; server_no_context_takeover`
    // zlib has no window of 8 bits, so this one uses send as well.
    const tooSmall = `${alone}; server_max_window_bits=8`
    const kinds = [undefined, offer, tooSmall, alone, `${alone}; server_max_window_bits=9`]
    const firstBytes: (number | undefined)[] = []
    const pairs = []
    for (const extensions of kinds) pairs.push(await server.connectRaw(extensions))
    for (const { socket } of pairs) topics.subscribe(socket, 'a')
    expect(topics.publish('a', text)).toBe(5)
    for (const { raw } of pairs) firstBytes.push((await readBytes(raw, 2))[0])
    expect(firstBytes).toEqual([0x81, 0xc1, 0xc1, 0xc1, 0xc1])
    expect(topics.stats().sent).toBe(2)
  })
})

describe('if something throws', () => {
  test('the others get their message, and the error is reported', async () => {
    const faults: unknown[] = []
    const topics = createTopics({ onError: (error, socket) => faults.push([error, socket]) })
    const server = await serveBare({ perMessageDeflate: true })
    const [broken, whole] = [await server.connect(true), await server.connect()]
    broken.socket.send = () => {
      throw new Error('broken')
    }
    for (const { socket } of [broken, whole]) topics.subscribe(socket, 'a')
    expect(topics.publish('a', 'hello')).toBe(1)
    expect(await whole.client.next()).toBe('hello')
    expect(faults).toEqual([[new Error('broken'), broken.socket]])
    expect(topics.stats().failed).toBe(1)
  })

  test.each(['write', 'uncork'] as const)('in %s of a raw socket, cork and uncork balance', async (method) => {
    const faults: unknown[] = []
    const topics = createTopics({ onError: (error) => faults.push(error) })
    const server = await serveBare()
    const [broken, whole] = [await server.connect(), await server.connect()]
    for (const { socket } of [broken, whole]) topics.subscribe(socket, 'a')
    const rawSocket = rawSocketOf(broken.socket)
    const original = rawSocket[method] as () => never
    rawSocket[method] = () => {
      rawSocket[method] = original
      if (method === 'uncork') original.call(rawSocket)
      throw new Error('broken')
    }
    topics.publish('a', 'hello')
    expect(await whole.client.next()).toBe('hello')
    expect(faults).toEqual([new Error('broken')])
    expect([rawSocket.writableCorked, rawSocketOf(whole.socket).writableCorked]).toEqual([0, 0])
    topics.publish('a', 'again')
    if (method === 'uncork') expect(await broken.client.next()).toBe('hello')
    expect(await broken.client.next()).toBe('again')
  })
})

test('a socket whose client has gone is skipped', async () => {
  const topics = createTopics()
  const server = await serveBare()
  const [gone, there] = [await server.connect(), await server.connect()]
  for (const { socket } of [gone, there]) topics.subscribe(socket, 'a')
  const left = once(gone.socket, 'close')
  rawSocketOf(gone.socket).destroy()
  expect(topics.publish('a', 'hello')).toBe(1)
  expect(await there.client.next()).toBe('hello')
  await left
  expect(topics.subscribers('a')).toEqual([there.socket])
})

test('close() writes what was published before', async () => {
  const topics = createTopics()
  const { client, socket } = await (await serveBare()).connect()
  topics.subscribe(socket, 'a')
  topics.publish('a', 'last')
  void topics.close()
  expect(rawSocketOf(socket).writableCorked).toBe(0)
  expect(await client.next()).toBe('last')
})
