import { type Answer, readAnswer } from '../src/topics/answer.ts'
import { Desk } from '../src/topics/desk.ts'
import type { Gap, Since } from '../src/topics/feed.ts'
import { Guest, guestWire } from '../src/topics/guest.ts'
import type { Pending } from '../src/topics/pending.ts'
import type { Outgoing, Wire } from '../src/topics/wire.ts'

/** A way to a server that the test plays. */
class Line implements Wire {
  readonly sent: string[] = []
  readonly #desk: Desk

  constructor(desk: Desk) {
    this.#desk = desk
    desk.use(this)
  }

  subscribe(topic: string, since: string): void {
    this.sent.push(`subscribe ${since} ${topic}`)
  }

  unsubscribe(topic: string): void {
    this.sent.push(`unsubscribe ${topic}`)
  }

  watch(topic: string): void {
    this.sent.push(`presence ${topic}`)
  }

  publish(message: Outgoing): void {
    const { id, topic, data } = message
    message.begin()
    this.sent.push(`publish ${id} ${topic} ${String(data)}`)
  }

  again(): void {}
  close(): void {}

  hear(...answers: string[]): void {
    for (const answer of answers) {
      const read = readAnswer(answer)
      if (read !== undefined) this.#desk.hear(read)
    }
  }

  take(): string[] {
    return this.sent.splice(0)
  }
}

/** Subscribes, and writes down what is told. */
function follow(desk: Desk, since: Since): { heard: string[]; leave: () => void } {
  const heard: string[] = []
  const leave = desk.subscribe('news', {
    place: since,
    onMessage: (data, position) => void heard.push(`${position?.offset ?? '-'} ${String(data)}`),
    onSubscribed: (position) => void heard.push(`subscribed ${position?.offset ?? '-'}`),
    onGap: ({ from, to, missing }: Gap) =>
      void heard.push(`gap ${from?.offset ?? '-'} ${to?.offset ?? '-'} ${missing ?? '?'}`),
    onError: ({ code }) => void heard.push(`error ${code}`)
  })
  return { heard, leave }
}

const desk = (): Desk => new Desk(10)

test('a reader gets each message once, over lost connections', () => {
  const topics = desk()
  const { heard } = follow(topics, '-')
  const first = new Line(topics)
  expect(first.take()).toEqual(['subscribe - news'])
  first.hear('subscribed e 4 new news', 'message 5 news\na')
  topics.use(undefined)
  const second = new Line(topics)
  expect(second.take()).toEqual(['subscribe e:5 news'])
  second.hear('subscribed e 5 resumed news', 'message 6 news\nb')
  expect(heard).toEqual(['subscribed 4', '5 a', 'subscribed 5', '6 b'])
})

test('a reader learns exactly what is missing', () => {
  const topics = desk()
  const { heard } = follow(topics, { epoch: 'e', offset: 3 })
  const line = new Line(topics)
  line.hear('subscribed e 9 gap news', 'message 10 news\na', 'gap e 12 news', 'message 13 news\nb')
  expect(heard).toEqual(['gap 3 9 6', 'subscribed 9', '10 a', 'gap 10 12 2', '13 b'])
  topics.use(undefined)
  new Line(topics).hear('subscribed f 0 gap news')
  expect(heard.slice(5)).toEqual(['gap 13 0 ?', 'subscribed 0'])
})

test('a server that went back in the same epoch is a gap for everybody', () => {
  const topics = desk()
  const behind = follow(topics, { epoch: 'e', offset: 8 })
  const ahead = follow(topics, { epoch: 'e', offset: 9 })
  const line = new Line(topics)
  line.hear('subscribed e 2 gap news', 'message 3 news\na')
  expect(behind.heard).toEqual(['gap 8 2 ?', 'subscribed 2', '3 a'])
  expect(ahead.heard).toEqual(['gap 9 2 ?', 'subscribed 2', '3 a'])
})

test('readers in different places share one subscription, and each gets what it wants', () => {
  const topics = desk()
  const fresh = follow(topics, '-')
  const all = follow(topics, 'all')
  const known = follow(topics, { epoch: 'e', offset: 2 })
  const line = new Line(topics)
  expect(line.take()).toEqual(['subscribe - news'])
  line.hear('subscribed e 3 new news')
  expect(line.take()).toEqual(['subscribe all news'])
  // Published before the server has read that.
  line.hear('message 4 news\nd', 'subscribed e 0 new news')
  expect(line.take()).toEqual([])
  line.hear('message 1 news\na', 'message 2 news\nb', 'message 3 news\nc', 'message 4 news\nd', 'message 5 news\ne')
  expect(fresh.heard).toEqual(['subscribed 3', '4 d', '5 e'])
  expect(all.heard).toEqual(['subscribed 0', '1 a', '2 b', '3 c', '4 d', '5 e'])
  expect(known.heard).toEqual(['subscribed 2', '3 c', '4 d', '5 e'])
  const late = follow(topics, '-')
  expect(late.heard).toEqual(['subscribed 5'])
  const again = follow(topics, 'all')
  expect(line.take()).toEqual(['subscribe all news'])
  line.hear(
    'subscribed e 0 new news',
    ...['a', 'b', 'c', 'd', 'e'].map((data, index) => `message ${index + 1} news\n${data}`)
  )
  expect(again.heard.at(-1)).toBe('5 e')
  expect(all.heard.filter((line) => line === '5 e')).toHaveLength(1)
  expect(late.heard).toEqual(['subscribed 5'])
})

test('regression: a reader that is where the server is was not told that it is subscribed', () => {
  const topics = desk()
  follow(topics, '-')
  const early = follow(topics, { epoch: 'e', offset: 3 })
  const line = new Line(topics)
  line.hear('subscribed e 3 new news')
  expect(early.heard).toEqual(['subscribed 3'])
  const late = follow(topics, { epoch: 'e', offset: 3 })
  expect(late.heard).toEqual(['subscribed 3'])
  line.hear('message 4 news\na')
  expect(late.heard).toEqual(['subscribed 3', '4 a'])
  expect(line.take()).toEqual(['subscribe - news'])
})

test('regression: a reader that joined before the end of a subscription was answered got messages before it was told', () => {
  const topics = desk()
  const line = new Line(topics)
  follow(topics, '-').leave()
  line.hear('subscribed e 3 new news')
  expect(line.take()).toEqual(['subscribe - news', 'unsubscribe news'])
  const { heard } = follow(topics, { epoch: 'e', offset: 3 })
  line.hear('message 4 news\na', 'unsubscribed news', 'subscribed e 4 resumed news', 'message 5 news\nb')
  expect(heard).toEqual(['subscribed 3', '4 a', '5 b'])
})

test('without history a lost connection is a gap', () => {
  const topics = desk()
  const { heard } = follow(topics, '-')
  new Line(topics).hear('subscribed - - new news', 'message - news\na')
  topics.use(undefined)
  new Line(topics).hear('subscribed - - new news', 'message - news\nb')
  expect(heard).toEqual(['subscribed -', '- a', 'gap - - ?', 'subscribed -', '- b'])
})

test('without history a lost connection is a gap for a reader in another tab too', () => {
  const leader = desk()
  const tab = desk()
  const guest = new Guest(leader, (answer) => tab.hear(answer))
  const { heard } = follow(tab, '-')
  tab.use(guestWire((request) => guest.handle(request)))
  new Line(leader).hear('subscribed - - new news', 'message - news\na')
  leader.use(undefined)
  new Line(leader).hear('subscribed - - new news', 'message - news\nb')
  expect(heard).toEqual(['subscribed -', '- a', 'gap - - ?', '- b'])
})

test('a reader is told that it is subscribed before its first message', () => {
  const topics = desk()
  const first = follow(topics, '-')
  const line = new Line(topics)
  line.hear('subscribed e 3 new news')
  first.leave()
  const second = follow(topics, { epoch: 'e', offset: 3 })
  line.hear('message 4 news\na', 'unsubscribed news', 'subscribed e 4 resumed news')
  expect(second.heard).toEqual(['subscribed 3', '4 a'])
})

test('regression: without history, a reader with a position that joined later was not told of the gap', () => {
  const topics = desk()
  follow(topics, '-')
  new Line(topics).hear('subscribed - - new news')
  const { heard } = follow(topics, { epoch: 'e', offset: 3 })
  expect(heard).toEqual(['gap 3 - ?', 'subscribed -'])
})

test('one request at a time is on its way, so that each answer belongs to one', () => {
  const topics = desk()
  const first = follow(topics, '-')
  const line = new Line(topics)
  first.leave()
  const second = follow(topics, 'all')
  expect(line.take()).toEqual(['subscribe - news'])
  line.hear('subscribed e 3 new news')
  expect(line.take()).toEqual(['subscribe all news'])
  line.hear('subscribed e 0 new news')
  second.leave()
  expect(line.take()).toEqual(['unsubscribe news'])
  const third = follow(topics, 'all')
  line.hear('unsubscribed news')
  expect(line.take()).toEqual(['subscribe all news'])
  expect(first.heard).toEqual([])
  expect(third.heard).toEqual([])
})

test('a refused subscription ends, and others go on', () => {
  const topics = desk()
  const { heard } = follow(topics, '-')
  const line = new Line(topics)
  line.hear('error forbidden subscribe - news')
  expect(heard).toEqual(['error forbidden'])
  follow(topics, '-')
  expect(line.take()).toEqual(['subscribe - news', 'subscribe - news'])
})

test('a message is sent again with its ID until it is acknowledged', async () => {
  const topics = desk()
  const line = new Line(topics)
  const published = topics.publish('news', 'hello')
  const [request = ''] = line.take()
  expect(request).toMatch(/^publish \w{16,}-1 news hello$/)
  topics.use(undefined)
  const next = new Line(topics)
  expect(next.take()).toEqual([request])
  next.hear(`published ${request.split(' ')[1]} 7`)
  await expect(published).resolves.toBe(7)
  topics.use(undefined)
  expect(new Line(topics).take()).toEqual([])
})

test('a refused message rejects, and so do all when it is closed', async () => {
  const topics = desk()
  const line = new Line(topics)
  const refused = topics.publish('news', 'hello')
  const [, id] = line.take()[0]?.split(' ') ?? []
  line.hear(`error forbidden publish ${id} news`)
  await expect(refused).rejects.toMatchObject({ code: 'forbidden' })
  const pending = topics.publish('news', 'hello')
  topics.close()
  await expect(pending).rejects.toMatchObject({ code: 'closed' })
})

describe('the time in which a message is sent again', () => {
  const minute = 60_000

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] })
  })
  afterEach(() => {
    jest.useRealTimers()
  })

  /** A tab, and what connects it to the one that has the connection. */
  function openTab() {
    const topics = desk()
    const outcome: unknown[] = []
    const publish = (): void =>
      void topics.publish('news', 'hello').then(
        (offset) => outcome.push(offset),
        ({ code }) => outcome.push(code)
      )
    const join = (leader: Desk): void => {
      const guest = new Guest(leader, (answer) => topics.hear(answer))
      topics.use(guestWire((request) => guest.handle(request)))
    }
    return { outcome, publish, join }
  }

  test('begins when it is sent, so nobody gives up what waits for a connection', async () => {
    const topics = desk()
    const published = topics.publish('news', 'hello')
    await jest.advanceTimersByTimeAsync(minute)
    const line = new Line(topics)
    const [request = ''] = line.take()
    line.hear(`published ${request.split(' ')[1]} 7`)
    await expect(published).resolves.toBe(7)
    const lost = topics.publish('news', 'hello')
    const unknown = expect(lost).rejects.toMatchObject({ code: 'unknown' })
    await jest.advanceTimersByTimeAsync(minute)
    await unknown
    topics.use(undefined)
    expect(new Line(topics).take()).toEqual([])
  })

  test('begins in a tab when the one that has the connection sends it', async () => {
    const { outcome, publish, join } = openTab()
    const leader = desk()
    join(leader)
    publish()
    await jest.advanceTimersByTimeAsync(minute)
    expect(outcome).toEqual([])
    const line = new Line(leader)
    expect(line.take()).toEqual([expect.stringMatching(/^publish .* hello$/)])
    await jest.advanceTimersByTimeAsync(minute)
    expect(outcome).toEqual(['unknown'])
    leader.use(undefined)
    expect(new Line(leader).take()).toEqual([])
  })

  test('goes on when another tab gets the connection', async () => {
    const { outcome, publish, join } = openTab()
    const first = desk()
    join(first)
    const line = new Line(first)
    publish()
    const sent = line.take()
    await jest.advanceTimersByTimeAsync(40_000)
    const next = desk()
    join(next)
    expect(new Line(next).take()).toEqual(sent)
    next.use(undefined)
    await jest.advanceTimersByTimeAsync(20_000)
    expect(outcome).toEqual(['unknown'])
    expect(new Line(next).take()).toEqual([])
  })
})

test('a message that a tab has handed over twice ends when the second one does', async () => {
  const leader = desk()
  const sent: Outgoing[] = []
  leader.use({ ...guestWire(() => {}), publish: (message) => void sent.push(message) })
  const handOver = (): Promise<number | undefined> => leader.publish('news', 'hello', { id: 'a' })
  const first = handOver()
  const second = handOver()
  const unknown = expect(first).rejects.toMatchObject({ code: 'unknown' })
  const [one, other] = sent as [Pending, Pending]
  // Its time is over.
  one.begin(Date.now())
  await unknown
  other.begin()
  leader.hear(readAnswer('published a 7') as Answer)
  await expect(second).resolves.toBe(7)
})

test('no more messages wait than are allowed', async () => {
  const topics = desk()
  const waiting = Array.from({ length: 10 }, () => topics.publish('news', 'x'))
  await expect(topics.publish('news', 'x')).rejects.toMatchObject({ code: 'busy' })
  topics.close()
  await Promise.allSettled(waiting)
})

test('presence follows who joins and leaves, and is asked for on each connection', () => {
  const topics = desk()
  const seen: string[] = []
  const stop = topics.watch('news', (members) => void seen.push([...members.keys()].join()))
  const line = new Line(topics)
  line.hear('subscribed e 0 new news')
  expect(line.take()).toEqual(['subscribe - news', 'presence news'])
  line.hear('present news\n[{"id":"ada"}]', 'joined news\n{"id":"bob"}', 'left news\n{"id":"ada"}')
  expect(seen).toEqual(['ada', 'ada,bob', 'bob'])
  topics.use(undefined)
  const next = new Line(topics)
  next.hear('subscribed e 0 resumed news')
  expect(next.take()).toEqual(['subscribe e:0 news', 'presence news'])
  stop()
  expect(next.take()).toEqual(['unsubscribe news'])
})

test('a message that is not the next one is an error', () => {
  const topics = desk()
  follow(topics, '-')
  const line = new Line(topics)
  line.hear('subscribed e 0 new news')
  expect(() => line.hear('message 2 news\nx')).toThrow(SyntaxError)
})
