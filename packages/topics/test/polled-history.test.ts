import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  createTopics,
  type HistoryBackplane,
  MemoryHub,
  memoryBackplane,
  type Topics,
  type TopicsOptions
} from '../src/index.ts'
import { atEnd, stopAll } from './pair.ts'

const all = { mayRead: () => true, mayPublish: () => true }

/** What the rest of a topic is measured with. Everything else, such as the network, goes on in real time. */
const faked = ['setTimeout', 'clearTimeout', 'performance']

beforeEach(() => {
  const names = [
    'Date',
    'hrtime',
    'nextTick',
    'queueMicrotask',
    'setImmediate',
    'clearImmediate',
    'setInterval',
    'clearInterval'
  ] as const
  jest.useFakeTimers({ doNotFake: names.filter((name) => !faked.includes(name)) })
})

afterEach(async () => {
  jest.useRealTimers()
  await stopAll()
})

/** Counts reads, and loses the messages that the test chooses on their way to this node, which it notices later. */
function watched(hub: MemoryHub, isLost: () => boolean = () => false): HistoryBackplane & { reads: number } {
  const backplane = memoryBackplane(hub)
  const own: HistoryBackplane & { reads: number } = {
    ...backplane,
    reads: 0,
    read: (...args) => {
      own.reads++
      return backplane.read(...args)
    },
    subscribe: (topic, receive, lost = () => {}) =>
      backplane.subscribe(
        topic,
        (...args) => {
          if (isLost()) setImmediate(() => lost(topic))
          else receive(...args)
        },
        lost
      )
  }
  return own
}

function createNode(backplane: HistoryBackplane, options: TopicsOptions = {}): Topics {
  const topics = createTopics({ history: {}, ...options, backplane })
  atEnd(() => topics.close())
  return topics
}

interface Polled {
  readonly since: string
  readonly answers: readonly string[]
}

/** Serves polls. */
async function serve(topics: Topics): Promise<(since: string, topic?: string) => Promise<Polled>> {
  const server = createServer(async (req, res) => {
    const { status, headers, body } = await topics.respond(req, all)
    res.writeHead(status, headers).end(body)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  atEnd(async () => {
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  })
  const { port } = server.address() as AddressInfo
  return async (since, topic = 'news') => {
    const response = await fetch(`http://127.0.0.1:${port}/?topic=${topic}&since=${since}`)
    return (await response.json()) as Polled
  }
}

const messagesOf = ({ answers }: Polled): string[] =>
  answers.filter((answer) => answer.startsWith('message')).map((answer) => answer.slice(answer.indexOf('\n') + 1))

test('a client that polls in a loop costs one read of the backplane', async () => {
  const hub = new MemoryHub()
  const backplane = watched(hub)
  const [publisher, topics] = [createNode(memoryBackplane(hub)), createNode(backplane)]
  const poll = await serve(topics)
  let { since } = await poll('-')
  const got: string[] = []
  for (let count = 0; count < 20; count++) {
    await publisher.publishAndConfirm('news', String(count))
    jest.advanceTimersByTime(5_000)
    const polled = await poll(since)
    got.push(...messagesOf(polled))
    since = polled.since
  }
  expect(got).toEqual(Array.from({ length: 20 }, (_, count) => String(count)))
  expect(backplane.reads).toBe(1)
})

test('a node follows a topic for some seconds after its last reader has left, with one timer for all', async () => {
  const hub = new MemoryHub()
  const backplane = watched(hub)
  const topics = createNode(backplane)
  const poll = await serve(topics)
  const idle = jest.getTimerCount()
  for (const topic of ['a', 'b', 'c']) {
    await poll('-', topic)
    jest.advanceTimersByTime(4_000)
  }
  expect(jest.getTimerCount()).toBe(idle + 1)
  jest.advanceTimersByTime(2_999)
  expect(['a', 'b', 'c'].map((topic) => hub.subscribers(topic))).toEqual([1, 1, 1])
  jest.advanceTimersByTime(1)
  await new Promise(setImmediate)
  expect(['a', 'b', 'c'].map((topic) => hub.subscribers(topic))).toEqual([0, 1, 1])
  await poll('-', 'b')
  jest.advanceTimersByTime(8_000)
  await new Promise(setImmediate)
  expect(['a', 'b', 'c'].map((topic) => hub.subscribers(topic))).toEqual([0, 1, 0])
  jest.advanceTimersByTime(8_000)
  await new Promise(setImmediate)
  expect(topics.stats().history).toEqual({ topics: 0, messages: 0, bytes: 0 })
  expect(jest.getTimerCount()).toBe(idle)
  expect(backplane.reads).toBe(3)
})

test('security: it follows at most 1,000 such topics, those that were read last', async () => {
  const hub = new MemoryHub()
  const topics = createNode(watched(hub))
  const poll = await serve(topics)
  for (let from = 0; from < 1_005; from += 67) {
    await poll('-', Array.from({ length: 67 }, (_, index) => `t${from + index}`).join('&topic='))
  }
  await new Promise(setImmediate)
  expect(topics.stats().history?.topics).toBe(1_000)
  expect([hub.subscribers('t4'), hub.subscribers('t5')]).toEqual([0, 1])
})

test('it follows none that nobody reads while histories take more than half of maxHistoryBytes', async () => {
  const hub = new MemoryHub()
  const backplane = watched(hub)
  const topics = createNode(backplane, { maxHistoryBytes: 100_000 })
  const poll = await serve(topics)
  for (let count = 0; count < 6; count++) await topics.publishAndConfirm('news', 'x'.repeat(10_000))
  await poll('all')
  await new Promise(setImmediate)
  expect(hub.subscribers('news')).toBe(0)
  expect(topics.stats().history?.topics).toBe(0)
})

/** Numbers from 0 to 1 that are the same for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  'nothing is lost or doubled when topics are released and taken up again, whatever gets lost: seed %i',
  async (seed) => {
    const random = randomOf(seed)
    const hub = new MemoryHub()
    const publisher = createNode(memoryBackplane(hub))
    const nodes = [0, 1].map(() => createNode(watched(hub, () => random() < 0.2)))
    const polls = await Promise.all(nodes.map(serve))
    let published = 0
    const [first] = polls as [(since: string) => Promise<Polled>]
    let { since } = await first('-')
    const got: string[] = []
    for (let round = 0; round < 60; round++) {
      const burst = Math.floor(random() * 4)
      for (let count = 0; count < burst; count++) {
        const handed = publisher.publishAndConfirm('news', String(published++))
        if (random() < 0.5) await handed
      }
      // Anything from right after the last poll to when the topic is given up.
      jest.advanceTimersByTime(Math.floor(random() * 20_000))
      if (random() < 0.3) await new Promise(setImmediate)
      const poll = polls[random() < 0.3 ? 1 : 0] ?? first
      if (got.length === published) continue
      const polled = await poll(since)
      expect(polled.answers[0]).toMatch(/resumed news$/)
      got.push(...messagesOf(polled))
      since = polled.since
    }
    while (got.length < published) {
      const polled = await first(since)
      got.push(...messagesOf(polled))
      since = polled.since
    }
    expect(got).toEqual(Array.from({ length: published }, (_, count) => String(count)))
  }
)
