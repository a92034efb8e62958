import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { closed } from '@oneport/test-kit'
import { pieceBytes } from '../src/cost.ts'
import { createTopics } from '../src/index.ts'
import { fill, serveBare, stopAll } from './pair.ts'

afterEach(stopAll)

const maxBufferedBytes = 100_000
const block = 'x'.repeat(50_000)

test('a client that does not read is closed with 1013 and leaves its topics, and the others continue', async () => {
  const topics = createTopics({ maxBufferedBytes })
  const server = await serveBare()
  const [stalled, reading] = [await server.connect(), await server.connect()]
  stalled.client.socket.pause()
  fill(stalled.socket, maxBufferedBytes)
  for (const { socket } of [stalled, reading]) topics.subscribe(socket, 'a')
  const unread = stalled.socket.bufferedAmount
  expect(topics.publish('a', 'hello')).toBe(1)
  expect(topics.stats()).toMatchObject({ closed: 1, sockets: 1, dropped: 0 })
  // A close frame with a code and a reason.
  expect(stalled.socket.bufferedAmount).toBe(unread + 2 + 2 + 'too much unread'.length)
  expect(await reading.client.next()).toBe('hello')
  const ended = closed(stalled.client.socket)
  stalled.client.socket.resume()
  expect(await ended).toEqual({ code: 1013, reason: 'too much unread' })
})

test('with drop it misses messages, which are counted, and gets new ones once it reads again', async () => {
  const topics = createTopics({ maxBufferedBytes, whenSlow: 'drop' })
  const { client, socket } = await (await serveBare()).connect()
  client.socket.pause()
  fill(socket, maxBufferedBytes)
  topics.subscribe(socket, 'a')
  const unread = socket.bufferedAmount
  for (let count = 0; count < 1_000; count++) expect(topics.publish('a', block)).toBe(0)
  expect(socket.bufferedAmount).toBe(unread)
  expect(topics.stats()).toMatchObject({ delivered: 0, dropped: 1_000, closed: 0 })
  client.socket.resume()
  await once((socket as unknown as { _socket: NodeJS.EventEmitter })._socket, 'drain')
  expect(topics.publish('a', 'now')).toBe(1)
  for (;;) if ((await client.next()) === 'now') break
})

test('with latest it gets the newest message of each topic once it reads again', async () => {
  const topics = createTopics({ maxBufferedBytes, whenSlow: 'latest' })
  const { client, socket } = await (await serveBare()).connect()
  client.socket.pause()
  fill(socket, maxBufferedBytes)
  for (const topic of ['a', 'b', 'c']) topics.subscribe(socket, topic)
  const unread = socket.bufferedAmount
  for (let count = 0; count < 500; count++) {
    topics.publish('a', `a${count}`)
    topics.publish('b', `b${count}`)
  }
  expect(topics.publish('c', 'given up')).toBe(0)
  topics.unsubscribe(socket, 'c')
  expect(socket.bufferedAmount).toBe(unread)
  expect(topics.stats()).toMatchObject({ delivered: 0, dropped: 998 })
  client.socket.resume()
  const got: string[] = []
  while (got.length < 2) {
    const message = await client.next()
    if (message.length < 10) got.push(message)
  }
  expect(got).toEqual(['a499', 'b499'])
  expect(topics.stats().delivered).toBe(2)
  expect(topics.publish('a', 'then')).toBe(1)
  expect(await client.next()).toBe('then')
})

test('regression: a bound in bytes allowed any number of small messages; each now counts with its overhead in Node', async () => {
  const topics = createTopics({ maxBufferedBytes, whenSlow: 'drop' })
  const { client, socket } = await (await serveBare()).connect()
  client.socket.pause()
  fill(socket, 0)
  await new Promise(setImmediate)
  topics.subscribe(socket, 'a')
  const before = socket.bufferedAmount
  let reached = 0
  while (topics.publish('a', 'x') === 1) reached++
  expect(socket.bufferedAmount).toBe(before + 3 * reached)
  const room = (maxBufferedBytes - before) / (3 + pieceBytes)
  expect([reached >= room - 2, reached <= room + 2]).toEqual([true, true])
})

test('what the application sends counts too, including the number of writes', async () => {
  const topics = createTopics({ maxBufferedBytes, whenSlow: 'drop' })
  const { client, socket } = await (await serveBare()).connect()
  client.socket.pause()
  fill(socket, 0)
  await new Promise(setImmediate)
  topics.subscribe(socket, 'a')
  for (let count = 0; count < maxBufferedBytes / pieceBytes; count++) socket.send('x')
  expect(topics.publish('a', 'x')).toBe(0)
})

describe('with latest, waiting messages are bounded too', () => {
  const stalled = async () => {
    const topics = createTopics({ maxBufferedBytes, whenSlow: 'latest' })
    const { client, socket } = await (await serveBare()).connect()
    client.socket.pause()
    fill(socket, maxBufferedBytes)
    return { topics, client, socket }
  }

  test.each([
    ['large messages', block, 1],
    ['small messages', 'x', Math.floor(maxBufferedBytes / (pieceBytes + 3))]
  ])(
    'regression: %s of many topics were held beyond every bound; now the client is closed',
    async (_kind, text, most) => {
      const { topics, client, socket } = await stalled()
      for (let topic = 0; topic <= most; topic++) topics.subscribe(socket, `${topic}`)
      for (let topic = 0; topic < most; topic++) expect(topics.publish(`${topic}`, text)).toBe(0)
      // A newer message replaces the older one.
      topics.publish('0', text)
      expect(topics.stats()).toMatchObject({ closed: 0, dropped: 1, sockets: 1 })
      topics.publish(`${most}`, text)
      expect(topics.stats()).toMatchObject({ closed: 1, sockets: 0 })
      const ended = closed(client.socket)
      client.socket.resume()
      expect(await ended).toEqual({ code: 1013, reason: 'too much unread' })
    }
  )

  test('a single message may be larger than the bound', async () => {
    const { topics, client, socket } = await stalled()
    topics.subscribe(socket, 'a')
    const large = 'x'.repeat(2 * maxBufferedBytes)
    topics.publish('a', large)
    expect(topics.stats()).toMatchObject({ closed: 0, sockets: 1 })
    client.socket.resume()
    for (;;) if ((await client.next()) === large) break
  })
})

test('messages that wait for a socket are released when it closes', async () => {
  const topics = createTopics({ maxBufferedBytes, whenSlow: 'latest' })
  const { client, socket } = await (await serveBare()).connect()
  client.socket.pause()
  fill(socket, maxBufferedBytes)
  topics.subscribe(socket, 'a')
  topics.publish('a', 'never')
  const timerEnded = new Promise<void>((resolve) => {
    const { clearInterval: clear } = globalThis
    jest.spyOn(globalThis, 'clearInterval').mockImplementation((timer) => {
      clear(timer)
      resolve()
    })
  })
  const ended = once(socket, 'close')
  socket.terminate()
  await Promise.all([ended, timerEnded])
  expect(topics.stats()).toMatchObject({ sockets: 0, topics: 0, delivered: 0 })
})

test('a fragmented message that never ends does not hold up any number of messages', async () => {
  const topics = createTopics({ maxBufferedBytes })
  const { client, socket } = await (await serveBare()).connect()
  topics.subscribe(socket, 'a')
  socket.send('begun', { fin: false })
  const ended = closed(client.socket)
  expect([topics.publish('a', block), topics.publish('a', block)]).toEqual([1, 1])
  expect(topics.publish('a', block)).toBe(0)
  expect((await ended).code).toBe(1013)
})

test('a client that reads gets any amount in one tick', async () => {
  const topics = createTopics({ maxBufferedBytes })
  const { client, socket } = await (await serveBare()).connect()
  topics.subscribe(socket, 'a')
  // The system accepts this much at once.
  for (let count = 0; count < 6; count++) expect(topics.publish('a', block)).toBe(1)
  for (let count = 0; count < 6; count++) expect(await client.next()).toBe(block)
  expect(topics.stats()).toMatchObject({ closed: 0, delivered: 6 })
})

test('a socket that the application has corked is written to, and stays corked', async () => {
  const topics = createTopics({ maxBufferedBytes })
  const { client, socket } = await (await serveBare()).connect()
  topics.subscribe(socket, 'a')
  const { _socket: rawSocket } = socket as unknown as { _socket: Duplex }
  rawSocket.cork()
  for (let count = 0; count < 6; count++) expect(topics.publish('a', block)).toBe(1)
  expect(rawSocket.writableCorked).toBe(2)
  rawSocket.uncork()
  for (let count = 0; count < 6; count++) expect(await client.next()).toBe(block)
  expect(rawSocket.writableCorked).toBe(0)
})

test('a single message may be larger than the limit', async () => {
  const topics = createTopics({ maxBufferedBytes: 10 })
  const { client, socket } = await (await serveBare()).connect()
  topics.subscribe(socket, 'a')
  expect(topics.publish('a', block)).toBe(1)
  expect(await client.next()).toBe(block)
})
