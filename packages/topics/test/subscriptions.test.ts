import { once } from 'node:events'
import { createTopics, TopicsError } from '../src/index.ts'
import { serveBare, stopAll } from './pair.ts'

afterEach(stopAll)

test('lists the topics of a socket and the sockets of a topic', async () => {
  const topics = createTopics()
  const server = await serveBare()
  const [{ socket: ada }, { socket: bob }] = [await server.connect(), await server.connect()]
  expect(topics.subscribe(ada, 'news')).toBe(true)
  expect(topics.subscribe(ada, 'news')).toBe(false)
  expect(topics.subscribe(ada, '')).toBe(true)
  expect(topics.subscribe(bob, 'news')).toBe(true)
  expect(topics.subscribers('news')).toEqual([ada, bob])
  expect(topics.topicsOf(ada)).toEqual(['news', ''])
  expect(topics.stats()).toMatchObject({ sockets: 2, topics: 2, subscriptions: 3 })

  expect(topics.unsubscribe(ada, 'news')).toBe(true)
  expect(topics.unsubscribe(ada, 'news')).toBe(false)
  expect(topics.unsubscribe(bob, 'other')).toBe(false)
  expect(topics.subscribers('news')).toEqual([bob])
  expect(topics.stats()).toMatchObject({ sockets: 2, topics: 2, subscriptions: 2 })
})

test('a topic is not a property of an object: any name works', async () => {
  const topics = createTopics()
  const { socket } = await (await serveBare()).connect()
  for (const name of ['__proto__', 'constructor', '0', '\0', '🚀']) expect(topics.subscribe(socket, name)).toBe(true)
  expect(topics.topicsOf(socket)).toEqual(['__proto__', 'constructor', '0', '\0', '🚀'])
  expect(topics.subscribers('toString')).toEqual([])
})

test('a socket that closes leaves all its topics, and nothing is left of it', async () => {
  const topics = createTopics()
  const { socket, client } = await (await serveBare()).connect()
  const listeners = socket.listenerCount('close')
  topics.subscribe(socket, 'a')
  topics.subscribe(socket, 'b')
  expect(socket.listenerCount('close')).toBe(listeners + 1)
  client.socket.close()
  await once(socket, 'close')
  expect(topics.stats()).toMatchObject({ sockets: 0, topics: 0, subscriptions: 0 })
  expect(topics.topicsOf(socket)).toEqual([])
  expect(topics.subscribe(socket, 'a')).toBe(false)
  expect(topics.stats().sockets).toBe(0)
})

test('a socket that leaves its last topic keeps none of our listeners', async () => {
  const topics = createTopics()
  const { socket } = await (await serveBare()).connect()
  const listeners = socket.listenerCount('close')
  topics.subscribe(socket, 'a')
  topics.unsubscribe(socket, 'a')
  expect(socket.listenerCount('close')).toBe(listeners)
  expect(topics.stats()).toMatchObject({ sockets: 0, topics: 0, subscriptions: 0 })
})

test('a closed socket whose listeners were removed leaves with the next message', async () => {
  const topics = createTopics()
  const { socket } = await (await serveBare()).connect()
  topics.subscribe(socket, 'a')
  socket.removeAllListeners('close')
  const closed = once(socket, 'close')
  socket.terminate()
  await closed
  expect(topics.stats().sockets).toBe(1)
  expect(topics.publish('a', 'hello')).toBe(0)
  expect(topics.stats()).toMatchObject({ sockets: 0, topics: 0, subscriptions: 0 })
})

describe('TopicsError', () => {
  const refused = (subscribe: () => unknown): Pick<TopicsError, 'code' | 'message'> => {
    try {
      subscribe()
    } catch (error) {
      if (error instanceof TopicsError) return { code: error.code, message: error.message }
    }
    throw new Error('Expected a TopicsError.')
  }

  test('is thrown for a name that is too long', async () => {
    const topics = createTopics({ maxTopicLength: 3 })
    const { socket } = await (await serveBare()).connect()
    expect(topics.subscribe(socket, 'abc')).toBe(true)
    expect(refused(() => topics.subscribe(socket, 'abcd'))).toEqual({
      code: 'TOPICS_NAME',
      message: "The name of a topic may have at most 3 characters; got 4, starting with 'abcd'."
    })
  })

  test('is thrown for too many topics of a socket, which may leave one for another', async () => {
    const topics = createTopics({ maxTopicsPerSocket: 2 })
    const { socket } = await (await serveBare()).connect()
    topics.subscribe(socket, 'a')
    topics.subscribe(socket, 'b')
    expect(refused(() => topics.subscribe(socket, 'c'))).toEqual({
      code: 'TOPICS_OF_SOCKET',
      message: 'The socket has reached its limit of 2 topics.'
    })
    topics.unsubscribe(socket, 'a')
    expect(topics.subscribe(socket, 'c')).toBe(true)
  })

  test('is thrown for too many subscriptions, and leaves nothing on the socket', async () => {
    const topics = createTopics({ maxSubscriptions: 1 })
    const server = await serveBare()
    const [{ socket: ada }, { socket: bob }] = [await server.connect(), await server.connect()]
    topics.subscribe(ada, 'a')
    const listeners = bob.listenerCount('close')
    expect(refused(() => topics.subscribe(bob, 'a'))).toEqual({
      code: 'TOPICS_SUBSCRIPTIONS',
      message: 'The limit of 1 subscriptions is reached.'
    })
    expect(bob.listenerCount('close')).toBe(listeners)
    expect(topics.stats()).toMatchObject({ sockets: 1, subscriptions: 1 })
  })

  test('is thrown after close()', async () => {
    const topics = createTopics()
    const { socket } = await (await serveBare()).connect()
    topics.subscribe(socket, 'a')
    void topics.close()
    expect(topics.stats()).toMatchObject({ sockets: 0, topics: 0, subscriptions: 0 })
    expect(topics.publish('a', 'hello')).toBe(0)
    expect(refused(() => topics.subscribe(socket, 'a'))).toEqual({
      code: 'TOPICS_CLOSED',
      message: 'These topics are closed.'
    })
    expect(socket.readyState).toBe(socket.OPEN)
  })
})

test.each([
  [undefined, 'a', 'subscribe: socket: expected a WebSocket of ws; got undefined'],
  [{}, 'a', 'subscribe: socket: expected a WebSocket of ws; got [object Object]']
])('refuses %p as a socket', (socket, topic, message) => {
  expect(() => createTopics().subscribe(socket as never, topic)).toThrow(new TypeError(message))
})

test('refuses a topic that is not a string', async () => {
  const { socket } = await (await serveBare()).connect()
  const topics = createTopics()
  expect(() => topics.subscribe(socket, 7 as never)).toThrow(
    new TypeError('subscribe: topic: expected a string; got 7')
  )
  expect(() => topics.publish(7 as never, 'x')).toThrow(new TypeError('publish: topic: expected a string; got 7'))
  expect(() => topics.unsubscribe(socket, 7 as never)).toThrow(
    new TypeError('unsubscribe: topic: expected a string; got 7')
  )
})

test.each([
  [{ exclude: 1 }, /^publish: unknown option 'exclude'; see https:/],
  [{ excepts: [] }, "publish: unknown option 'excepts'; did you mean except?"],
  [{ binary: 1 }, 'publish: binary: expected a boolean; got 1'],
  [{ compress: 'no' }, "publish: compress: expected a boolean; got 'no'"]
])('refuses to publish with %p, which would be ignored', (options, message) => {
  expect(() => createTopics().publish('a', 'x', options as never)).toThrow(message)
  expect(() => createTopics().publishAndConfirm('a', 'x', options as never)).toThrow(message)
})
