import { once } from 'node:events'
import { type Backplane, createTopics, MemoryHub, memoryBackplane, type TopicsOptions } from '../src/index.ts'
import { atEnd, serveBare, stopAll } from './pair.ts'

afterEach(stopAll)

const hubs = { hub: new MemoryHub() }

beforeEach(() => {
  hubs.hub = new MemoryHub()
})

function createNode(options: TopicsOptions = {}) {
  const errors: [message: string, topic: string][] = []
  const topics = createTopics({
    backplane: memoryBackplane(hubs.hub),
    onBackplaneError: (error, topic) => errors.push([(error as Error).message, topic]),
    ...options
  })
  atEnd(() => topics.close())
  return { topics, errors }
}

/** A backplane that answers only when the test lets it. */
function slowBackplane() {
  const calls: { what: string; answer(error?: Error): void }[] = []
  const call = (what: string): Promise<void> =>
    new Promise((resolve, reject) => {
      calls.push({ what, answer: (error) => (error === undefined ? resolve() : reject(error)) })
    })
  const backplane: Backplane = {
    publish: (topic) => call(`publish ${topic}`),
    subscribe: (topic) => call(`subscribe ${topic}`),
    unsubscribe: (topic) => call(`unsubscribe ${topic}`),
    health: () => 'up',
    close: async () => {}
  }
  return { backplane, calls, said: () => calls.map(({ what }) => what) }
}

const turn = (): Promise<void> => new Promise(setImmediate)

test('a message reaches the sockets of other nodes, except those that it excludes', async () => {
  const [one, other] = [createNode(), createNode()]
  const server = await serveBare()
  const [ada, bob, eve] = [await server.connect(), await server.connect(), await server.connect()]
  for (const { socket } of [ada, bob]) one.topics.subscribe(socket, 'news')
  other.topics.subscribe(eve.socket, 'news')
  await turn()
  expect(one.topics.publish('news', 'hello', { except: ada.socket })).toBe(1)
  expect(await bob.client.next()).toBe('hello')
  expect(await eve.client.next()).toBe('hello')
  one.topics.publish('news', 'again')
  expect(await ada.client.next()).toBe('again')
  expect(other.topics.stats()).toMatchObject({ published: 0, delivered: 2, backplane: { received: 2 } })
})

test('binary and compress also apply on other nodes', async () => {
  const [one, other] = [createNode(), createNode()]
  const server = await serveBare({ perMessageDeflate: { serverNoContextTakeover: true, threshold: 0 } })
  const { raw, socket } = await server.connectRaw('permessage-deflate; server_no_context_takeover')
  other.topics.subscribe(socket, 'news')
  await turn()
  const text = 'a'.repeat(100)
  one.topics.publish('news', Buffer.from(text), { binary: false })
  expect((await once(raw, 'data'))[0][0]).toBe(0xc1)
  one.topics.publish('news', text, { binary: true, compress: false })
  expect((await once(raw, 'data'))[0][0]).toBe(0x82)
})

test('publish() resolves with the result of the backplane', async () => {
  const { topics } = createNode()
  expect(await createTopics().publishAndConfirm('news', 'x')).toEqual({ local: 0, backplane: 'none' })
  expect(createTopics().stats().backplane).toBeUndefined()
  const { socket } = await (await serveBare()).connect()
  topics.subscribe(socket, 'news')
  expect(await topics.publishAndConfirm('news', 'x')).toEqual({ local: 1, backplane: 'sent' })
  expect(topics.stats().backplane).toEqual({
    health: 'up',
    topics: 1,
    missing: 0,
    sent: 1,
    received: 0,
    foreign: 0,
    failed: 0
  })
})

test('while the backplane is down, sockets of this node get messages, and failures are counted and reported', async () => {
  const { topics, errors } = createNode()
  const { client, socket } = await (await serveBare()).connect()
  topics.subscribe(socket, 'news')
  await turn()
  hubs.hub.health = 'down'
  expect(topics.publish('news', 'plain')).toBe(1)
  const error = new Error('The hub is down.')
  expect(await topics.publishAndConfirm('news', 'confirmed')).toEqual({ local: 1, backplane: 'failed', error })
  expect([await client.next(), await client.next()]).toEqual(['plain', 'confirmed'])
  expect(topics.stats().backplane).toMatchObject({ health: 'down', sent: 0, failed: 2 })
  expect(errors).toEqual([
    ['The hub is down.', 'news'],
    ['The hub is down.', 'news']
  ])
})

test('a topic subscribed to while the backplane is down is subscribed there once it is up again', async () => {
  const { topics, errors } = createNode()
  const { socket } = await (await serveBare()).connect()
  hubs.hub.health = 'down'
  topics.subscribe(socket, 'news')
  topics.subscribe(socket, 'left')
  topics.unsubscribe(socket, 'left')
  await turn()
  expect(topics.stats().backplane).toMatchObject({ topics: 0, missing: 1 })
  hubs.hub.health = 'up'
  while (topics.stats().backplane?.missing !== 0) await turn()
  expect([hubs.hub.subscribers('news'), hubs.hub.subscribers('left')]).toEqual([1, 0])
  expect(errors).toEqual([])
})

test('makes one call per topic at a time, and ends in the right state', async () => {
  const { backplane, calls, said } = slowBackplane()
  const { topics } = createNode({ backplane })
  const { socket } = await (await serveBare()).connect()
  topics.subscribe(socket, 'a')
  topics.unsubscribe(socket, 'a')
  topics.subscribe(socket, 'a')
  topics.unsubscribe(socket, 'a')
  expect(said()).toEqual(['subscribe a'])
  calls[0]?.answer()
  await turn()
  expect(said()).toEqual(['subscribe a', 'unsubscribe a'])
  topics.subscribe(socket, 'a')
  expect(topics.stats().backplane).toMatchObject({ topics: 1, missing: 0 })
  calls[1]?.answer()
  await turn()
  expect(topics.stats().backplane).toMatchObject({ topics: 0, missing: 1 })
  calls[2]?.answer()
  await turn()
  expect(said()).toEqual(['subscribe a', 'unsubscribe a', 'subscribe a'])
  expect(topics.stats().backplane).toMatchObject({ topics: 1, missing: 0 })
})

test('retries what the backplane rejected', async () => {
  const { backplane, calls, said } = slowBackplane()
  const { topics, errors } = createNode({ backplane })
  const { socket } = await (await serveBare()).connect()
  topics.subscribe(socket, 'a')
  calls[0]?.answer(new Error('not now'))
  while (calls.length < 2) await turn()
  calls[1]?.answer()
  await turn()
  topics.unsubscribe(socket, 'a')
  calls[2]?.answer(new Error('not now either'))
  while (calls.length < 4) await turn()
  calls[3]?.answer()
  await turn()
  expect(said()).toEqual(['subscribe a', 'subscribe a', 'unsubscribe a', 'unsubscribe a'])
  expect(topics.stats().backplane).toMatchObject({ topics: 0, missing: 0 })
  expect(errors).toEqual([
    ['not now', 'a'],
    ['not now either', 'a']
  ])
})

test('close() reports a backplane that does not close, and never rejects', async () => {
  const { backplane } = slowBackplane()
  const { topics, errors } = createNode({
    backplane: { ...backplane, close: () => Promise.reject(new Error('stuck')) }
  })
  await topics.close()
  expect(errors).toEqual([['stuck', '']])
})
