import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { Inbox } from '@oneport/test-kit'
import type { WebSocket } from 'ws'
import { createTopics, memoryBackplane, type Topics, type TopicsAccess, type TopicsOptions } from '../src/index.ts'
import { atEnd, serveBare, stopAll } from './pair.ts'

afterEach(stopAll)

const all: TopicsAccess = { mayRead: () => true, mayPublish: () => true }

interface Client {
  readonly inbox: Inbox
  readonly socket: WebSocket
  send(request: string | Buffer): void
  /** Sends a request and returns the answer. */
  ask(request: string | Buffer): Promise<string>
  next(): Promise<string>
  /** Waits for a `pong`, and expects nothing before it. */
  isQuiet(): Promise<void>
}

interface Served {
  readonly topics: Topics<WebSocket>
  /** Connects a client and serves it. */
  connect(access?: Partial<TopicsAccess>): Promise<Client>
}

async function start(options: TopicsOptions<WebSocket> = { history: {} }): Promise<Served> {
  const topics = createTopics<WebSocket>(options)
  atEnd(() => topics.close())
  const server = await serveBare()
  const connect = async (access: Partial<TopicsAccess> = {}): Promise<Client> => {
    const { client, socket } = await server.connect()
    topics.serve(socket, { ...all, ...access })
    const send = (request: string | Buffer): void => client.socket.send(request)
    const next = async (): Promise<string> => String(await client.next())
    const ask = (request: string | Buffer): Promise<string> => {
      send(request)
      return next()
    }
    return { inbox: client, socket, send, next, ask, isQuiet: async () => expect(await ask('ping')).toBe('pong') }
  }
  return { topics, connect }
}

/** Subscribes, and returns what the answer says. */
async function subscribe(client: Client, topic: string, since = '-'): Promise<{ epoch: string; from: string }> {
  const [kind, epoch = '', offset, beginning, name] = (await client.ask(`subscribe ${since} ${topic}`)).split(' ')
  expect([kind, name]).toEqual(['subscribed', topic])
  return { epoch, from: `${beginning} ${offset}` }
}

const closeOf = async ({ inbox }: Client): Promise<[number, string]> => {
  const [code, reason] = (await once(inbox.socket, 'close')) as [number, Buffer]
  return [code, String(reason)]
}

describe('a subscription', () => {
  test('begins behind the newest message, and gets what comes after', async () => {
    const { topics, connect } = await start()
    topics.publish('news', 'early')
    const client = await connect()
    expect(await subscribe(client, 'news')).toMatchObject({ from: 'new 1' })
    topics.publish('news', 'late')
    expect(await client.next()).toBe('message 2 news\nlate')
  })

  test('begins with everything that the history has, if it asks for that', async () => {
    const { topics, connect } = await start({ history: { messages: 2 } })
    for (const text of ['a', 'b', 'c']) topics.publish('news', text)
    const client = await connect()
    expect(await subscribe(client, 'news', 'all')).toMatchObject({ from: 'new 1' })
    expect([await client.next(), await client.next()]).toEqual(['message 2 news\nb', 'message 3 news\nc'])
  })

  test('resumes behind the last message that the client has seen', async () => {
    const { topics, connect } = await start()
    const { epoch } = await subscribe(await connect(), 'news')
    for (const text of ['a', 'b', 'c']) topics.publish('news', text)
    const client = await connect()
    expect(await subscribe(client, 'news', `${epoch}:1`)).toEqual({ epoch, from: 'resumed 1' })
    expect([await client.next(), await client.next()]).toEqual(['message 2 news\nb', 'message 3 news\nc'])
    topics.publish('news', 'd')
    expect(await client.next()).toBe('message 4 news\nd')
  })

  test.each([0, 1, 2, 3])(
    'resumes with nothing missing from each offset that the history reaches: %d',
    async (seen) => {
      const { topics, connect } = await start({ history: { messages: 3 } })
      const { epoch } = await subscribe(await connect(), 'news')
      for (const text of ['1', '2', '3']) topics.publish('news', text)
      const client = await connect()
      expect(await subscribe(client, 'news', `${epoch}:${seen}`)).toEqual({ epoch, from: `resumed ${seen}` })
      for (let offset = seen + 1; offset <= 3; offset++)
        expect(await client.next()).toBe(`message ${offset} news\n${offset}`)
      await client.isQuiet()
    }
  )

  test('is told of a gap if the history does not reach back far enough, and gets what it has', async () => {
    const { topics, connect } = await start({ history: { messages: 2 } })
    const { epoch } = await subscribe(await connect(), 'news')
    for (const text of ['a', 'b', 'c', 'd']) topics.publish('news', text)
    const client = await connect()
    expect(await subscribe(client, 'news', `${epoch}:1`)).toEqual({ epoch, from: 'gap 2' })
    expect([await client.next(), await client.next()]).toEqual(['message 3 news\nc', 'message 4 news\nd'])
  })

  test.each([
    ['of another epoch', 'other:1'],
    ['beyond the newest message', undefined]
  ])('is told of a gap for an offset %s', async (_kind, given) => {
    const { topics, connect } = await start()
    const { epoch } = await subscribe(await connect(), 'news')
    topics.publish('news', 'a')
    const client = await connect()
    expect(await subscribe(client, 'news', given ?? `${epoch}:9`)).toEqual({ epoch, from: 'gap 0' })
    expect(await client.next()).toBe('message 1 news\na')
  })

  test('has no offsets without history, and is told of a gap if it comes back', async () => {
    const { topics, connect } = await start({})
    const client = await connect()
    expect(await client.ask('subscribe - news')).toBe('subscribed - - new news')
    topics.publish('news', 'a')
    expect(await client.next()).toBe('message - news\na')
    expect(await (await connect()).ask('subscribe x:1 news')).toBe('subscribed - - gap news')
  })

  test('can be repeated, to go on from another message', async () => {
    const { topics, connect } = await start()
    const client = await connect()
    const { epoch } = await subscribe(client, 'news')
    topics.publish('news', 'a')
    expect(await client.next()).toBe('message 1 news\na')
    expect(await subscribe(client, 'news', `${epoch}:0`)).toEqual({ epoch, from: 'resumed 0' })
    expect(await client.next()).toBe('message 1 news\na')
    expect(topics.stats().subscriptions).toBe(1)
  })

  test('ends with unsubscribe', async () => {
    const { topics, connect } = await start()
    const client = await connect()
    await subscribe(client, 'news')
    expect(await client.ask('unsubscribe news')).toBe('unsubscribed news')
    topics.publish('news', 'a')
    await client.isQuiet()
    expect(topics.stats()).toMatchObject({ sockets: 0, subscriptions: 0, served: 1 })
  })

  test('a name may have spaces and any character that is no control character', async () => {
    const { topics, connect } = await start()
    const client = await connect()
    await subscribe(client, 'x')
    for (const topic of ['a b  c', ' ', '🚀', '-', '__proto__', 'é:1']) {
      expect(await client.ask(`subscribe - ${topic}`)).toMatch(/^subscribed /)
      topics.publish(topic, 'hello')
      expect(await client.next()).toBe(`message 1 ${topic}\nhello`)
    }
  })

  test('binary messages stay binary, and text stays text', async () => {
    const { topics, connect } = await start()
    const client = await connect()
    await subscribe(client, 'news')
    topics.publish('news', Buffer.from([0, 10, 255]))
    const [data, isBinary] = (await once(client.inbox.socket, 'message')) as [Buffer, boolean]
    expect([data.toString('latin1'), isBinary]).toEqual(['message 1 news\n\0\n\xff', true])
  })
})

describe('access', () => {
  test('is asked for each subscription, and refused ones are answered', async () => {
    const { topics, connect } = await start()
    const asked: string[] = []
    const mayRead = (topic: string): boolean => {
      asked.push(topic)
      return topic === 'mine'
    }
    const client = await connect({ mayRead })
    expect(await client.ask('subscribe - yours')).toBe('error forbidden subscribe - yours')
    await subscribe(client, 'mine')
    expect(asked).toEqual(['yours', 'mine'])
    topics.publish('yours', 'secret')
    await client.isQuiet()
  })

  test.each([
    ['a promise of true', async () => true, /^subscribed/],
    ['a promise of false', async () => false, /^error forbidden subscribe - news$/],
    ['something truthy', () => 1 as never, /^error forbidden/],
    ['an error', () => Promise.reject(new Error('no database')), /^error failed subscribe - news$/],
    [
      'a thrown undefined',
      () => {
        throw undefined
      },
      /^error failed/
    ]
  ])('may answer with %s', async (_kind, mayRead, answer) => {
    const errors: unknown[] = []
    const { connect } = await start({ history: {}, onError: (error) => void errors.push(error) })
    const client = await connect({ mayRead })
    expect(await client.ask('subscribe - news')).toMatch(answer)
    expect(errors).toHaveLength(String(answer).includes('failed') ? 1 : 0)
  })

  test('a client that unsubscribes while it waits gets no subscription', async () => {
    const { topics, connect } = await start()
    let allow = (_allowed: boolean): void => {}
    const client = await connect({ mayRead: () => new Promise((resolve) => (allow = resolve)) })
    client.send('subscribe - news')
    expect(await client.ask('unsubscribe news')).toBe('unsubscribed news')
    allow(true)
    await client.isQuiet()
    expect(topics.stats().subscriptions).toBe(0)
  })

  test('a client that leaves while it waits leaves nothing behind', async () => {
    const { topics, connect } = await start()
    let allow = (_allowed: boolean): void => {}
    const client = await connect({ key: 'ada', mayRead: () => new Promise((resolve) => (allow = resolve)) })
    client.send('subscribe - news')
    await client.isQuiet()
    client.inbox.socket.terminate()
    await once(client.socket, 'close')
    allow(true)
    await delay(0)
    expect(topics.stats()).toMatchObject({ sockets: 0, subscriptions: 0, topics: 0, served: 0 })
    expect(topics.revoke('ada')).toBe(0)
  })

  test('at most 100 subscriptions wait at once', async () => {
    const { connect } = await start()
    const client = await connect({ mayRead: () => new Promise(() => {}) })
    for (let count = 0; count < 100; count++) client.send(`subscribe - ${count}`)
    expect(await client.ask('subscribe - one more')).toBe('error busy subscribe - one more')
  })

  test('beyond the limits of createTopics a subscription is refused', async () => {
    const { connect } = await start({ maxTopicsPerSocket: 1, maxTopicLength: 5 })
    const client = await connect()
    expect(await client.ask('subscribe - toolong')).toBe('error limit subscribe - toolong')
    await client.ask('subscribe - a')
    expect(await client.ask('subscribe - b')).toBe('error limit subscribe - b')
  })

  test('revoke closes the sockets of a key and ends their subscriptions', async () => {
    const { topics, connect } = await start()
    const [ada, bob] = [await connect({ key: 'ada' }), await connect({ key: 'bob' })]
    await subscribe(ada, 'news')
    await subscribe(bob, 'news')
    const closed = closeOf(ada)
    expect(topics.revoke('ada')).toBe(1)
    expect(topics.stats()).toMatchObject({ subscriptions: 1, served: 1 })
    expect(await closed).toEqual([4401, 'credential revoked'])
    expect(topics.revoke('ada')).toBe(0)
    topics.publish('news', 'a')
    expect(await bob.next()).toBe('message 1 news\na')
  })
})

test('security: after revoke, a message that mayPublish has not decided is not published', async () => {
  let decide = (_allowed: boolean): void => {}
  const { topics, connect } = await start()
  const mayPublish = () => new Promise<boolean>((resolve) => (decide = resolve))
  const ada = await connect({ key: 'ada', mayPublish })
  const closed = closeOf(ada)
  // In order, so the message has arrived when there is an answer.
  ada.inbox.socket.send('publish 1 news\nhello')
  expect(await ada.ask('ping')).toBe('pong')
  topics.revoke('ada')
  expect(await closed).toEqual([4401, 'credential revoked'])
  decide(true)
  await new Promise(setImmediate)
  expect(topics.stats().published).toBe(0)
})

describe('publishing', () => {
  test('is acknowledged with the offset, and reaches all subscribers', async () => {
    const { connect } = await start()
    const [ada, bob] = [await connect(), await connect()]
    await subscribe(bob, 'news')
    expect(await ada.ask('publish 1 news\nhello\nworld')).toBe('published 1 1')
    expect(await bob.next()).toBe('message 1 news\nhello\nworld')
    expect(await ada.ask(Buffer.from('publish 2 news\n\xff', 'latin1'))).toBe('published 2 2')
    const [data, isBinary] = [await bob.inbox.next(), true]
    expect([Buffer.from(data as never).toString('latin1').length > 0, isBinary]).toEqual([true, true])
  })

  test('under the same id happens once, from another connection of the same key too', async () => {
    const { topics, connect } = await start()
    const ada = await connect({ key: 'ada' })
    expect(await ada.ask('publish a-1 news\nhello')).toBe('published a-1 1')
    expect(await ada.ask('publish a-1 news\nhello')).toBe('published a-1 1')
    expect(await (await connect({ key: 'ada' })).ask('publish a-1 news\nhello')).toBe('published a-1 1')
    expect(await (await connect({ key: 'bob' })).ask('publish a-1 news\nhello')).toBe('published a-1 2')
    expect(await ada.ask('publish a-1 other\nhello')).toBe('published a-1 1')
    expect(topics.stats().published).toBe(3)
  })

  test('beyond the ids that can be remembered is refused, not published twice', async () => {
    const { connect } = await start({ maxPublishIds: 1 })
    const client = await connect()
    expect(await client.ask('publish 1 news\na')).toBe('published 1 -')
    expect(await client.ask('publish 2 news\na')).toBe('error busy publish 2 news')
    expect(await client.ask('publish 1 news\na')).toBe('published 1 -')
  })

  test.each([
    ['false', () => false, 'error forbidden publish 1 news'],
    ['an error', () => Promise.reject(new Error('no database')), 'error failed publish 1 news']
  ])('is refused with %s', async (_kind, mayPublish, answer) => {
    const { topics, connect } = await start()
    const client = await connect({ mayPublish })
    expect(await client.ask('publish 1 news\nhello')).toBe(answer)
    expect(topics.stats().published).toBe(0)
  })

  test('happens in the order of sending, whatever mayPublish takes', async () => {
    const { connect } = await start()
    const waiting: ((allowed: boolean) => void)[] = []
    const client = await connect({
      mayPublish: (_topic, data) => data === 'b' || new Promise<boolean>((resolve) => waiting.push(resolve))
    })
    await subscribe(client, 'news')
    for (const [id, text] of ['a', 'b', 'c'].entries()) client.send(`publish ${id} news\n${text}`)
    await client.isQuiet()
    for (const allow of waiting.reverse()) allow(true)
    const got: string[] = []
    for (let count = 0; count < 6; count++) got.push(await client.next())
    expect(got.filter((message) => message.startsWith('message'))).toEqual([
      'message 1 news\na',
      'message 2 news\nb',
      'message 3 news\nc'
    ])
    expect(got.filter((message) => message.startsWith('published'))).toEqual([
      'published 0 1',
      'published 1 2',
      'published 2 3'
    ])
  })

  test('beyond what may wait for mayPublish is refused', async () => {
    const { connect } = await start({ maxBufferedBytes: 1_000 })
    const client = await connect({ mayPublish: () => new Promise(() => {}) })
    client.send(`publish 1 news\n${'a'.repeat(900)}`)
    expect(await client.ask(`publish 2 news\n${'a'.repeat(900)}`)).toBe('error busy publish 2 news')
  })
})

describe('malformed requests', () => {
  test.each([
    'subscribe',
    'subscribe ',
    'subscribe - ',
    'subscribe news',
    'subscribe x news',
    'subscribe x:-1 news',
    'subscribe x:01 news',
    'subscribe x:1.5 news',
    'subscribe x:1e3 news',
    'subscribe x:9999999999999999 news',
    `subscribe ${'x'.repeat(65)}:1 news`,
    'subscribe - a\tb',
    'subscribe - a\0',
    'subscribe - news\r\n',
    'unsubscribe ',
    'unsubscribe',
    'presence ',
    'publish 1 news',
    'publish  news\n',
    'publish 1 \n',
    'publish a/b news\nhello',
    `publish ${'1'.repeat(65)} news\nhello`
  ])('%j closes with 1008', async (request) => {
    const client = await (await start()).connect()
    const closed = closeOf(client)
    client.send(request)
    expect((await closed)[0]).toBe(1008)
  })

  test('a header that is not UTF-8 closes with 1008', async () => {
    const client = await (await start()).connect()
    const closed = closeOf(client)
    client.send(Buffer.from('subscribe - \xff', 'latin1'))
    expect((await closed)[0]).toBe(1008)
  })

  test.each(['', '\n', 'hello', 'Subscribe - news', ' subscribe - news', 'message 1 news\nhello', 'pong', '{}'])(
    'an unknown kind is ignored: %j',
    async (request) => {
      const client = await (await start()).connect()
      client.send(request)
      await client.isQuiet()
    }
  )
})

describe('slow clients', () => {
  test('a client that reads again gets everything, in order, from the history', async () => {
    const { topics, connect } = await start({ history: { messages: 10_000 }, maxBufferedBytes: 10_000 })
    const client = await connect()
    await subscribe(client, 'news')
    client.inbox.socket.pause()
    const payload = 'x'.repeat(10_000)
    for (let count = 1; count <= 1_000; count++) topics.publish('news', payload)
    expect(topics.stats()).toMatchObject({ closed: 0, dropped: 0 })
    client.inbox.socket.resume()
    for (let count = 1; count <= 1_000; count++) expect(await client.next()).toBe(`message ${count} news\n${payload}`)
    topics.publish('news', 'live')
    expect(await client.next()).toBe('message 1001 news\nlive')
  })

  test('a client for which the history was too short is told of the gap', async () => {
    const { topics, connect } = await start({ history: { messages: 10 }, maxBufferedBytes: 10_000 })
    const client = await connect()
    await subscribe(client, 'news')
    client.inbox.socket.pause()
    const payload = 'x'.repeat(100_000)
    for (let count = 1; count <= 300; count++) {
      topics.publish('news', payload)
      await delay(0)
    }
    client.inbox.socket.resume()
    let expected = 1
    let gaps = 0
    while (expected <= 300) {
      const [kind, ...rest] = (await client.next()).split('\n', 1)[0]?.split(' ') ?? []
      if (kind === 'gap') {
        gaps++
        expected = Number(rest[1]) + 1
      } else {
        expect([kind, rest[0]]).toEqual(['message', String(expected)])
        expected++
      }
    }
    expect(gaps).toBeGreaterThan(0)
  })

  test('messages that are published during a replay come after it', async () => {
    const { topics, connect } = await start({ history: { messages: 10_000 }, maxBufferedBytes: 10_000 })
    const { epoch } = await subscribe(await connect(), 'news')
    for (let count = 1; count <= 500; count++) topics.publish('news', `${count} ${'x'.repeat(5_000)}`)
    const client = await connect()
    await subscribe(client, 'news', `${epoch}:0`)
    for (let count = 501; count <= 600; count++) topics.publish('news', `${count} ${'x'.repeat(5_000)}`)
    for (let count = 1; count <= 600; count++) {
      expect((await client.next()).slice(0, 30)).toMatch(new RegExp(`^message ${count} news\n${count} `))
    }
  })

  test('a client that publishes while it catches up is not closed', async () => {
    const { topics, connect } = await start({ history: { messages: 10_000 }, maxBufferedBytes: 10_000 })
    const payload = 'x'.repeat(10_000)
    for (let count = 1; count <= 1_000; count++) topics.publish('news', payload)
    const client = await connect()
    client.inbox.socket.pause()
    client.send('subscribe all news')
    client.send('publish a news\nmine')
    while (topics.stats().published === 1_000) await delay(1)
    client.inbox.socket.resume()
    const answers: string[] = []
    while (answers.length < 1_003) answers.push((await client.next()).split('\n', 1)[0] ?? '')
    const isMessage = (answer: string): boolean => answer.startsWith('message ')
    expect(answers.filter(isMessage)).toEqual(Array.from({ length: 1_001 }, (_, index) => `message ${index + 1} news`))
    expect(answers.filter((answer) => !isMessage(answer))).toEqual([
      expect.stringMatching(/^subscribed .* 0 new news$/),
      'published a 1001'
    ])
    expect(topics.stats().closed).toBe(0)
  })

  test('a client that asks and does not read is closed', async () => {
    const { topics, connect } = await start({ maxBufferedBytes: 10_000 })
    const client = await connect()
    client.inbox.socket.pause()
    const closed = once(client.socket, 'close')
    const flood = setInterval(() => {
      for (let count = 0; count < 1_000; count++) client.send(`subscribe - ${'x'.repeat(250)}`)
    }, 1)
    try {
      while (client.socket.readyState === 1) await delay(1)
      client.inbox.socket.resume()
      expect((await closed)[0]).toBe(1013)
    } finally {
      clearInterval(flood)
    }
    expect(topics.stats().served).toBe(0)
  })
})

describe('presence', () => {
  const person = (id: string, info?: unknown): Partial<TopicsAccess> => ({ presence: { id, info } })

  test('shows who is there, who joins and who leaves', async () => {
    const { connect } = await start()
    const ada = await connect(person('ada', { name: 'Ada' }))
    await subscribe(ada, 'news')
    expect(await ada.ask('presence news')).toBe('present news\n[{"id":"ada","info":{"name":"Ada"}}]')
    const bob = await connect(person('bob'))
    await subscribe(bob, 'news')
    expect(await ada.next()).toBe('joined news\n{"id":"bob"}')
    bob.inbox.socket.close()
    expect(await ada.next()).toBe('left news\n{"id":"bob"}')
  })

  test('is told whole, and last, to a client that was too slow for each change', async () => {
    const { topics, connect } = await start({ history: { messages: 10_000 }, maxBufferedBytes: 10_000 })
    const ada = await connect(person('ada'))
    await subscribe(ada, 'news')
    await ada.ask('presence news')
    ada.inbox.socket.pause()
    const payload = 'x'.repeat(10_000)
    for (let count = 1; count <= 1_000; count++) topics.publish('news', payload)
    const [bob, eve] = [await connect(person('bob')), await connect(person('eve'))]
    for (const client of [bob, eve]) await subscribe(client, 'news')
    await bob.ask('unsubscribe news')
    ada.inbox.socket.resume()
    for (let count = 1; count <= 1_000; count++) expect(await ada.next()).toBe(`message ${count} news\n${payload}`)
    expect(await ada.next()).toBe('present news\n[{"id":"ada"},{"id":"eve"}]')
    await bob.ask('subscribe - news')
    expect(await ada.next()).toBe('joined news\n{"id":"bob"}')
    expect(topics.stats().closed).toBe(0)
  })

  test('several connections of one id count as one', async () => {
    const { connect } = await start()
    const ada = await connect(person('ada'))
    await subscribe(ada, 'news')
    await ada.ask('presence news')
    const [first, second] = [await connect(person('bob')), await connect(person('bob'))]
    await subscribe(first, 'news')
    await subscribe(second, 'news')
    expect(await ada.next()).toBe('joined news\n{"id":"bob"}')
    await first.ask('unsubscribe news')
    await ada.isQuiet()
    await second.ask('unsubscribe news')
    expect(await ada.next()).toBe('left news\n{"id":"bob"}')
  })

  test('is for subscribers only', async () => {
    const client = await (await start()).connect()
    expect(await client.ask('presence news')).toBe('error forbidden presence - news')
  })

  test('ends with the subscription', async () => {
    const { connect } = await start()
    const [ada, bob] = [await connect(person('ada')), await connect(person('bob'))]
    await subscribe(ada, 'news')
    await ada.ask('presence news')
    await ada.ask('unsubscribe news')
    await subscribe(bob, 'news')
    await ada.isQuiet()
  })
})

describe('what the application throws is reported, and ends nothing', () => {
  const fails = (topic: string) => {
    if (topic !== 'fine') throw new Error('no settings')
    return {}
  }

  test.each([
    ['at once', () => true],
    ['later', async () => true]
  ])('from the function for the history, for a client that may read %s', async (_when, mayRead) => {
    const errors: unknown[] = []
    const { topics, connect } = await start({ history: fails, onError: (error) => void errors.push(error) })
    const client = await connect({ mayRead, mayPublish: mayRead })
    expect(await client.ask('subscribe - news')).toBe('error failed subscribe - news')
    expect(await client.ask('publish 1 news\nhello')).toBe('error failed publish 1 news')
    expect(errors).toHaveLength(2)
    await subscribe(client, 'fine')
    expect(topics.stats()).toMatchObject({ subscriptions: 1, topics: 1 })
  })

  test('from the function for the history, on a backplane', async () => {
    const errors: unknown[] = []
    const onError = (error: unknown) => void errors.push(error)
    const { topics, connect } = await start({ history: fails, backplane: memoryBackplane(), onError })
    const client = await connect()
    expect(await client.ask('subscribe - news')).toBe('error failed subscribe - news')
    expect(await client.ask('publish 1 news\nhello')).toBe('error failed publish 1 news')
    const { socket } = await (await serveBare()).connect()
    expect(() => topics.subscribe(socket, 'news')).toThrow('no settings')
    expect([errors.length, topics.topicsOf(socket)]).toEqual([2, []])
    await subscribe(client, 'fine')
    expect(topics.stats()).toMatchObject({ subscriptions: 1, topics: 1, sockets: 1 })
  })

  test.each([
    ['at once', () => true],
    ['later', async () => true]
  ])('from a socket whose send fails, for an answer %s', async (_when, mayRead) => {
    const errors: unknown[] = []
    const { connect } = await start({ history: {}, onError: (error) => void errors.push(error) })
    const client = await connect({ mayRead })
    const { send } = client.socket
    client.socket.send = () => {
      throw new Error('replaced')
    }
    client.send('subscribe - news')
    while (errors.length === 0) await delay(1)
    client.socket.send = send
    await client.isQuiet()
  })

  test('from a socket with a binaryType that is not read', async () => {
    const errors: unknown[] = []
    const { connect } = await start({ history: {}, onError: (error) => void errors.push(error) })
    const client = await connect()
    client.socket.binaryType = 'blob' as never
    client.send(Buffer.from('ping'))
    while (errors.length === 0) await delay(1)
    client.socket.binaryType = 'nodebuffer'
    await client.isQuiet()
  })
})

describe('serve', () => {
  test('does nothing for a socket that is closed', async () => {
    const { topics } = await start()
    const { socket } = await (await serveBare()).connect()
    socket.terminate()
    topics.serve(socket, all)
    expect(topics.stats().served).toBe(0)
    expect(socket.listenerCount('message')).toBe(0)
  })

  test.each([
    ['no access', undefined],
    ['no mayRead', { mayPublish: () => true }],
    ['an unknown name', { ...all, mayread: () => true }],
    ['a key that is no string', { ...all, key: 7 }],
    ['a presence without id', { ...all, presence: {} }],
    ['a presence with a long id', { ...all, presence: { id: 'x'.repeat(257) } }]
  ])('refuses %s', async (_kind, access) => {
    const topics = createTopics()
    const { socket } = await (await serveBare()).connect()
    expect(() => topics.serve(socket, access as never)).toThrow(TypeError)
    expect(socket.listenerCount('message')).toBe(0)
  })

  test('refuses a socket that is served or subscribed already', async () => {
    const { topics, connect } = await start()
    const { socket } = await connect()
    expect(() => topics.serve(socket, all)).toThrow(/served already/)
    const other = await (await serveBare()).connect()
    topics.subscribe(other.socket, 'news')
    expect(() => topics.serve(other.socket, all)).toThrow(/has subscriptions/)
  })

  test('a served socket that the application subscribes speaks the protocol too', async () => {
    const { topics, connect } = await start()
    const client = await connect()
    topics.subscribe(client.socket, 'news')
    topics.publish('news', 'hello')
    expect(await client.next()).toBe('message 1 news\nhello')
  })

  test('close ends the sessions and closes their sockets', async () => {
    const { topics, connect } = await start()
    const client = await connect()
    await subscribe(client, 'news')
    const closed = closeOf(client)
    await topics.close()
    expect((await closed)[0]).toBe(1001)
    expect(client.socket.listenerCount('message')).toBe(0)
    expect(topics.stats()).toMatchObject({ served: 0, sockets: 0, subscriptions: 0 })
  })
})
