import { once } from 'node:events'
import type { Inbox } from '@oneport/test-kit'
import type { WebSocket } from 'ws'
import {
  createTopics,
  type HistoryBackplane,
  MemoryHub,
  memoryBackplane,
  type Topics,
  type TopicsAccess,
  type TopicsOptions
} from '../src/index.ts'
import { atEnd, type Bare, serveBare, stopAll } from './pair.ts'

let hub: MemoryHub
let server: Bare

beforeEach(async () => {
  hub = new MemoryHub()
  server = await serveBare()
})

afterEach(stopAll)

const all: TopicsAccess = { mayRead: () => true, mayPublish: () => true }
const turn = (): Promise<void> => new Promise(setImmediate)

function createNode(options: TopicsOptions<WebSocket> = {}): Topics<WebSocket> {
  const topics = createTopics<WebSocket>({ history: {}, backplane: memoryBackplane(hub), ...options })
  atEnd(() => topics.close())
  return topics
}

interface Client extends Inbox {
  ask(request: string): Promise<string>
  /** Subscribes, and returns the epoch. */
  subscribe(topic: string, since?: string): Promise<string>
  isQuiet(): Promise<void>
}

async function connect(topics: Topics<WebSocket>, access: Partial<TopicsAccess> = {}): Promise<Client> {
  const { client, socket } = await server.connect()
  topics.serve(socket, { ...all, ...access })
  const ask = async (request: string): Promise<string> => {
    client.socket.send(request)
    return String(await client.next())
  }
  return Object.assign(client, {
    ask,
    async subscribe(topic: string, since = '-') {
      const [kind, epoch = ''] = (await ask(`subscribe ${since} ${topic}`)).split(' ')
      expect(kind).toBe('subscribed')
      return epoch
    },
    isQuiet: async () => expect(await ask('ping')).toBe('pong')
  })
}

/** A backplane that loses the messages that the test chooses, on their way to this node. */
function losing(isLost: (count: number) => boolean): HistoryBackplane {
  const backplane = memoryBackplane(hub)
  let count = 0
  return {
    ...backplane,
    subscribe: (topic, receive, lost) =>
      backplane.subscribe(
        topic,
        (message, name, position) => {
          if (!isLost(++count)) receive(message, name, position)
        },
        lost
      )
  }
}

test('all nodes count the same messages, in the same order', async () => {
  const [one, other] = [createNode(), createNode()]
  const [ada, bob] = [await connect(one), await connect(other)]
  expect(await ada.subscribe('news')).toBe(await bob.subscribe('news'))
  one.publish('news', 'a')
  other.publish('news', 'b')
  one.publish('news', 'c')
  const got = [await ada.next(), await ada.next(), await ada.next()]
  expect(got).toEqual(['message 1 news\na', 'message 2 news\nb', 'message 3 news\nc'])
  expect([await bob.next(), await bob.next(), await bob.next()]).toEqual(got)
})

test('a client comes back at another node, which reads what it missed', async () => {
  const [one, other] = [createNode(), createNode()]
  const ada = await connect(one)
  const epoch = await ada.subscribe('news')
  ada.socket.terminate()
  for (const text of ['a', 'b']) one.publish('news', text)
  await turn()
  const again = await connect(other)
  expect(await again.ask(`subscribe ${epoch}:0 news`)).toBe(`subscribed ${epoch} 0 resumed news`)
  expect([await again.next(), await again.next()]).toEqual(['message 1 news\na', 'message 2 news\nb'])
})

test('a client that publishes learns the offset', async () => {
  const ada = await connect(createNode())
  expect(await ada.ask('publish 1 news\nhello')).toBe('published 1 1')
})

test('a message of the same id is published once, at whichever node', async () => {
  const [ada, again, eve] = [
    await connect(createNode(), { key: 'ada' }),
    await connect(createNode(), { key: 'ada' }),
    await connect(createNode(), { key: 'eve' })
  ]
  expect(await ada.ask('publish 1 news\nhello')).toBe('published 1 1')
  expect(await again.ask('publish 1 news\nhello')).toBe('published 1 1')
  expect(await eve.ask('publish 1 news\nhello')).toBe('published 1 2')
})

test('plain sockets get messages too, in the same order', async () => {
  const [one, other] = [createNode(), createNode()]
  const { client, socket } = await server.connect()
  other.subscribe(socket, 'news')
  await turn()
  await turn()
  for (const text of ['a', 'b']) one.publish('news', text)
  expect([await client.next(), await client.next()]).toEqual(['a', 'b'])
})

test.each([
  ['the first', (count: number) => count === 1],
  ['one in the middle', (count: number) => count === 3],
  ['several in a row', (count: number) => count > 1 && count < 5],
  ['every second', (count: number) => count % 2 === 0]
])('a node that does not get %s reads it, and its clients notice nothing', async (_which, isLost) => {
  const one = createNode()
  const ada = await connect(createNode({ backplane: losing(isLost) }))
  await ada.subscribe('news')
  for (let count = 1; count <= 7; count++) {
    one.publish('news', String(count))
    await turn()
  }
  for (let count = 1; count <= 7; count++) expect(await ada.next()).toBe(`message ${count} news\n${count}`)
  await ada.isQuiet()
})

test('messages that arrive in the wrong order are put in order', async () => {
  const backplane = memoryBackplane(hub)
  const held: (() => void)[] = []
  const reordering: HistoryBackplane = {
    ...backplane,
    // Reads nothing new, so that only what arrives counts.
    read: async (topic, after, limits) => {
      const kept = await backplane.read(topic, after, limits)
      return after === undefined ? kept : { ...kept, last: after.offset, messages: [] }
    },
    subscribe: (topic, receive) =>
      backplane.subscribe(topic, (...message) => {
        held.push(() => receive(...message))
      })
  }
  const one = createNode()
  const ada = await connect(createNode({ backplane: reordering }))
  await ada.subscribe('news')
  for (const text of ['a', 'b', 'c', 'd']) one.publish('news', text)
  await turn()
  for (const index of [1, 3, 3, 0, 0, 2]) held[index]?.()
  const got = [await ada.next(), await ada.next(), await ada.next(), await ada.next()]
  expect(got.map((message) => message.split('\n')[1])).toEqual(['a', 'b', 'c', 'd'])
  await ada.isQuiet()
})

test('clients are told of a gap if what a node did not get is kept no longer', async () => {
  const one = createNode({ history: { messages: 2 } })
  const ada = await connect(
    createNode({ history: { messages: 2 }, backplane: losing((count) => count > 1 && count < 6) })
  )
  const epoch = await ada.subscribe('news')
  for (let count = 1; count <= 6; count++) {
    one.publish('news', String(count))
    await turn()
  }
  expect(await ada.next()).toBe('message 1 news\n1')
  expect(await ada.next()).toBe(`gap ${epoch} 4 news`)
  expect([await ada.next(), await ada.next()]).toEqual(['message 5 news\n5', 'message 6 news\n6'])
})

test('clients are told of a gap in another epoch if the backplane has lost its data', async () => {
  const topics = createNode()
  const ada = await connect(topics)
  const epoch = await ada.subscribe('news')
  topics.publish('news', 'a')
  expect(await ada.next()).toBe('message 1 news\na')
  hub.forget()
  topics.publish('news', 'b')
  const [kind, other, offset] = String(await ada.next()).split(' ')
  expect([kind, offset]).toEqual(['gap', '0'])
  expect(other).not.toBe(epoch)
  expect(await ada.next()).toBe('message 1 news\nb')
})

test('after an outage a node reads what it missed, without a further message', async () => {
  const one = createNode()
  const backplane = memoryBackplane(hub)
  let isCut = false
  const cut: HistoryBackplane = {
    ...backplane,
    subscribe: (topic, receive, lost) =>
      backplane.subscribe(topic, (...message) => void (isCut || receive(...message)), lost)
  }
  const ada = await connect(createNode({ backplane: cut }))
  await ada.subscribe('news')
  isCut = true
  for (const text of ['a', 'b']) one.publish('news', text)
  await turn()
  await ada.isQuiet()
  isCut = false
  hub.restore()
  expect([await ada.next(), await ada.next()]).toEqual(['message 1 news\na', 'message 2 news\nb'])
})

test('regression: a client that comes from a faster node was told of a gap; now its node reads first', async () => {
  const one = createNode()
  const slow = createNode({ backplane: losing(() => true) })
  const [ada, bob] = [await connect(one), await connect(slow)]
  const epoch = await ada.subscribe('news')
  await bob.subscribe('news')
  for (const text of ['a', 'b']) one.publish('news', text)
  await turn()
  await bob.isQuiet()
  const again = await connect(slow)
  expect(await again.ask(`subscribe ${epoch}:1 news`)).toBe(`subscribed ${epoch} 1 resumed news`)
  expect(await again.next()).toBe('message 2 news\nb')
  // The other clients of the node get what it has read.
  expect([await bob.next(), await bob.next()]).toEqual(['message 1 news\na', 'message 2 news\nb'])
  hub.forget()
  await turn()
  one.publish('news', 'c')
  await turn()
  const [, other] = String(await (await connect(one)).ask('subscribe - news')).split(' ')
  const third = await connect(slow)
  expect(await third.ask(`subscribe ${other}:1 news`)).toBe(`subscribed ${other} 1 resumed news`)
  one.publish('news', 'd')
  await turn()
  const fourth = await connect(slow)
  expect(await fourth.ask(`subscribe ${other}:3 news`)).toBe(`subscribed ${other} 0 gap news`)
})

test('regression: a client that came while the node read for the first time was told of a gap if it had seen more', async () => {
  const one = createNode()
  const backplane = losing(() => true)
  const answers: (() => void)[] = []
  const waiting: HistoryBackplane = {
    ...backplane,
    read: async (...given) => {
      const kept = await backplane.read(...given)
      await new Promise<void>((resolve) => answers.push(resolve))
      return kept
    }
  }
  const slow = createNode({ backplane: waiting })
  const ada = await connect(one)
  const epoch = await ada.subscribe('news')
  const bob = await connect(slow)
  bob.socket.send('subscribe - news')
  while (answers.length === 0) await turn()
  for (const text of ['a', 'b']) one.publish('news', text)
  const again = await connect(slow)
  again.socket.send(`subscribe ${epoch}:1 news`)
  await again.isQuiet()
  const answer = again.next()
  let isAnswered = false
  void answer.then(() => {
    isAnswered = true
  })
  while (!isAnswered) {
    answers.shift()?.()
    await turn()
  }
  expect(String(await answer)).toBe(`subscribed ${epoch} 1 resumed news`)
  expect(await again.next()).toBe('message 2 news\nb')
})

test('while the backplane is down, a message is not published, and its client is told', async () => {
  const errors: string[] = []
  const topics = createNode({ onBackplaneError: (error) => void errors.push(String(error)) })
  const ada = await connect(topics)
  await ada.subscribe('news')
  hub.health = 'down'
  expect(await ada.ask('publish 1 news\nhello')).toBe('error failed publish 1 news')
  expect(await topics.publishAndConfirm('news', 'hello')).toMatchObject({ backplane: 'failed' })
  expect(errors).toHaveLength(2)
  hub.restore()
  expect(await ada.ask('publish 1 news\nhello')).toMatch(/^(published 1 1|message 1 news\nhello)$/)
})

test('a subscriber waits for a backplane that is down, and begins when it is back', async () => {
  hub.health = 'down'
  const ada = await connect(createNode())
  ada.socket.send('subscribe - news')
  await ada.isQuiet()
  hub.restore()
  expect(await ada.next()).toMatch(/^subscribed m1 0 new news$/)
})

test('a client that leaves while it waits leaves nothing behind', async () => {
  hub.health = 'down'
  const topics = createNode()
  const ada = await connect(topics)
  ada.socket.send('subscribe - news')
  await ada.isQuiet()
  ada.socket.terminate()
  await once(ada.socket, 'close')
  hub.restore()
  // The link looks four times a second whether the backplane is back.
  while (topics.stats().backplane?.topics === 0 && topics.stats().backplane?.missing !== 0) await turn()
  await turn()
  expect(topics.stats()).toMatchObject({ subscriptions: 0, topics: 0, served: 0 })
})

test('a node follows only topics that it has subscribers for, or had just now', async () => {
  const topics = createNode()
  const ada = await connect(topics)
  await ada.subscribe('news')
  expect(hub.subscribers('news')).toBe(1)
  topics.publish('news', 'a')
  expect(await ada.next()).toBe('message 1 news\na')
  expect(topics.stats().history).toMatchObject({ topics: 1, messages: 1 })
  await ada.ask('unsubscribe news')
  await turn()
  expect(hub.subscribers('news')).toBe(1)
  expect(hub.subscribers('other')).toBe(0)
  expect(topics.stats().history).toMatchObject({ topics: 1, messages: 1 })
})

test('topics without history work as without it', async () => {
  const history = (topic: string) => (topic === 'kept' ? {} : undefined)
  const [one, other] = [createNode({ history }), createNode({ history })]
  const ada = await connect(other)
  expect(await ada.ask('subscribe - other')).toBe('subscribed - - new other')
  await turn()
  one.publish('other', 'a')
  expect(await ada.next()).toBe('message - other\na')
})

test('except is refused, because the message has an offset for all', async () => {
  const { socket } = await server.connect()
  expect(() => createNode().publish('news', 'a', { except: socket })).toThrow(/except cannot be used/)
})

test('history is refused with a backplane that does not keep messages', () => {
  const { append: _append, ...backplane } = memoryBackplane(hub)
  expect(() => createTopics({ backplane, history: {} })).toThrow(/it has no append and read/)
})
