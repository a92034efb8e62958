import type { WebSocket } from 'ws'
import { createTopics, type HistoryBackplane, memoryBackplane, type TopicsOptions } from '../src/index.ts'
import { all } from '../src/presence/notice.ts'
import { breakable, Overheard, strangerId } from './overheard.ts'
import { atEnd, serveBare, stopAll } from './pair.ts'
import { PresentNode, until } from './present-node.ts'
import { serveSilent } from './silent.ts'

// Thousands of members take long on a busy machine. It is shorter than what heals only in the next interval.
jest.setTimeout(15_000)

afterEach(stopAll)

/** So long that nothing is asked again during a test, and nothing waits for a tick. */
const never = 3_600_000

/** Nodes that overhear each other. */
async function startNodes<Count extends 1 | 2 | 3>(
  count: Count,
  intervalMs: number,
  options?: TopicsOptions<WebSocket>
): Promise<{ heard: Overheard; nodes: [PresentNode, PresentNode, PresentNode] }> {
  const heard = new Overheard()
  const nodes: PresentNode[] = []
  for (let each = 0; each < count; each++) nodes.push(await PresentNode.start(heard.join(), intervalMs, options))
  return { heard, nodes: nodes as [PresentNode, PresentNode, PresentNode] }
}

const named = (count: number): string[] => Array.from({ length: count }, (_, index) => `member ${index}`)

describe('presence across nodes', () => {
  test('shows who is there already, who joins and who leaves', async () => {
    const { heard, nodes } = await startNodes(3, 400)
    const [one, two, three] = nodes
    const ada = await two.connect({ id: 'ada', info: { name: 'Ada' } }, 'news')
    const viewer = await one.watch('news')
    await viewer.sees('news', 'ada')
    expect(viewer.infoOf('news', 'ada')).toEqual({ name: 'Ada' })
    const bob = await two.connect({ id: 'bob' }, 'news')
    const cem = await three.connect({ id: 'cem' }, 'news')
    await viewer.sees('news', 'ada', 'bob', 'cem')
    await bob.leave()
    await cem.ask('unsubscribe news', 'unsubscribed')
    await viewer.sees('news', 'ada')
    await ada.leave()
    await viewer.sees('news')
    expect(viewer.faults).toEqual([])
    expect(heard.count('2: left')).toBe(1)
  })

  test('answers at once with what the node knows, and that is everything if it watches already', async () => {
    const { nodes } = await startNodes(2, never)
    const [one, two] = nodes
    await two.connect({ id: 'ada' }, 'news')
    const first = await one.connect({ id: 'bob' }, 'news')
    await first.watch('news')
    expect(first.ids('news')).toEqual(['bob'])
    await first.sees('news', 'ada', 'bob')
    const second = await one.watch('news')
    expect(second.ids('news')).toEqual(['ada', 'bob'])
    expect(second.notices).toEqual(['present news'])
  })

  test('takes members of the same ID at several nodes for one', async () => {
    const { nodes } = await startNodes(3, never)
    const [one, two, three] = nodes
    const viewer = await one.watch('news')
    const here = await one.connect({ id: 'ada' }, 'news')
    const there = await two.connect({ id: 'ada' }, 'news')
    const elsewhere = await three.connect({ id: 'ada' }, 'news')
    await until(() => one.stats.received === 2)
    expect(one.stats.presence).toBe(5)
    await here.leave()
    await there.leave()
    await until(() => one.stats.received === 3)
    expect(viewer.ids('news')).toEqual(['ada'])
    await elsewhere.leave()
    await viewer.sees('news')
    expect(viewer.notices).toEqual(['present news', 'joined news', 'left news'])
  })

  test('drops the members of a node that dies, after it was asked three times in vain', async () => {
    const heard = new Overheard()
    const [one, backplane] = [await PresentNode.start(heard.join(), 100), breakable(heard.join())]
    const two = await PresentNode.start(backplane, 100)
    await two.connect({ id: 'ada' }, 'news')
    const viewer = await one.watch('news')
    await viewer.sees('news', 'ada')
    backplane.cut()
    const asked = heard.count('0: ask 0 * -')
    await viewer.sees('news')
    expect(heard.count('0: ask 0 * -') - asked).toBeGreaterThanOrEqual(3)
    expect(one.stats.presence).toBe(0)
  })

  test('drops the members of a node that closes at once', async () => {
    const { nodes } = await startNodes(2, never)
    const [one, two] = nodes
    await two.connect({ id: 'ada' }, 'news')
    const viewer = await one.watch('news')
    await viewer.sees('news', 'ada')
    await two.topics.close()
    await viewer.sees('news')
    expect(two.errors).toEqual([])
  })

  test('forgets other nodes when nobody watches any more', async () => {
    const { nodes } = await startNodes(2, never)
    const [one, two] = nodes
    await two.connect({ id: 'ada' }, 'news')
    const viewer = await one.watch('news')
    await viewer.sees('news', 'ada')
    expect(one.stats.presence).toBe(2)
    await viewer.leave()
    await until(() => one.stats.presence === 0)
    expect(two.stats.presence).toBe(1)
  })

  test('works for topics with history', async () => {
    const { nodes } = await startNodes(2, 400, { history: {} })
    const [one, two] = nodes
    const viewer = await one.watch('news')
    const ada = await two.connect({ id: 'ada' }, 'news')
    two.topics.publish('news', 'hello')
    await viewer.sees('news', 'ada')
    await ada.leave()
    await viewer.sees('news')
  })
})

describe('what other nodes did not hear', () => {
  test.each([
    ['joined', 'ada', 'bob'],
    ['left', 'ada']
  ])('is found out with the next change: a member that has %s', async (kind, ...ids) => {
    const { heard, nodes } = await startNodes(2, 400)
    const [one, two] = nodes
    const [ada, cem] = [await two.connect({ id: 'ada' }, 'news'), await two.connect({ id: 'cem' }, 'news')]
    const viewer = await one.watch('news')
    await viewer.sees('news', 'ada', 'cem')
    heard.isLost = (line) => line.startsWith(`1: ${kind}`)
    const before = heard.notices.length
    if (kind === 'joined') await two.connect({ id: 'bob' }, 'news')
    else await cem.leave()
    await until(() => heard.notices.slice(before).some((line) => line.startsWith(`1: ${kind}`)))
    heard.isLost = () => false
    const eve = await two.connect({ id: 'eve' }, 'news')
    await viewer.sees('news', ...ids, ...(kind === 'joined' ? ['cem'] : []), 'eve')
    await Promise.all([ada.leave(), eve.leave()])
    expect(viewer.faults).toEqual([])
  })

  test('is found out when they ask again', async () => {
    const { heard, nodes } = await startNodes(2, 100)
    const [one, two] = nodes
    const [ada] = [await two.connect({ id: 'ada' }, 'news'), await two.connect({ id: 'bob' }, 'news')]
    const viewer = await one.watch('news')
    await viewer.sees('news', 'ada', 'bob')
    heard.isLost = (line) => line.startsWith('1: left')
    await ada.leave()
    await viewer.sees('news', 'bob')
  })

  test.each(['more', 'last'])('is asked for if a part of everything is lost: the one with %s', async (word) => {
    const { heard, nodes } = await startNodes(2, 100)
    const [one, two] = nodes
    const ids = named(300)
    for (const id of ids) serveSilent(two.topics, id, 'news')
    let lost = 0
    heard.isLost = (line) => line.startsWith('1: all') && line.endsWith(word) && lost++ === 0
    const viewer = await one.watch('news')
    await viewer.sees('news', ...ids)
    expect(lost).toBeGreaterThan(0)
  })

  test.each([0, 1])('while one of them was cut off is found out when it is back: node %d', async (cut) => {
    const heard = new Overheard()
    const backplanes = [breakable(heard.join()), breakable(heard.join())] as const
    const [one, two] = [await PresentNode.start(backplanes[0], 20_000), await PresentNode.start(backplanes[1], 20_000)]
    await two.connect({ id: 'ada' }, 'news')
    const viewer = await one.watch('news')
    await viewer.sees('news', 'ada')
    backplanes[cut as 0 | 1].cut()
    await two.connect({ id: 'bob' }, 'news')
    backplanes[cut as 0 | 1].restore()
    // Before they ask again.
    await viewer.sees('news', 'ada', 'bob')
  })

  test('before a node was subscribed is asked for when it is', async () => {
    const { heard, nodes } = await startNodes(1, never)
    await nodes[0].connect({ id: 'ada' }, 'news')
    const backplane = heard.join()
    let subscribe = (): void => {}
    const asked = new Promise<void>((resolve) => {
      subscribe = resolve
    })
    const late: HistoryBackplane = {
      ...backplane,
      subscribe: async (...args) => {
        await asked
        await backplane.subscribe(...args)
      }
    }
    const viewer = await (await PresentNode.start(late, never)).watch('news')
    expect(viewer.ids('news')).toEqual([])
    subscribe()
    await viewer.sees('news', 'ada')
  })

  test.each([
    ['a member that has come for another one', true, ['bob']],
    ['that nobody is left', false, []]
  ])('during an outage is found out when it ends: %s', async (_what, isFollowed, ids) => {
    const { heard, nodes } = await startNodes(2, 10_000)
    const [one, two] = nodes
    const ada = await two.connect({ id: 'ada' }, 'news')
    const viewer = await one.watch('news')
    await viewer.sees('news', 'ada')
    heard.hub.health = 'down'
    await ada.leave()
    await until(() => two.stats.presence === 0)
    if (isFollowed) await two.connect({ id: 'bob' }, 'news')
    heard.hub.restore()
    await viewer.sees('news', ...ids)
    expect(viewer.faults).toEqual([])
    expect(two.errors.concat(one.errors).filter((error) => !String(error).includes('down'))).toEqual([])
  })
})

describe('a topic that nobody watches', () => {
  test('costs one notice, of the first member', async () => {
    const { heard, nodes } = await startNodes(2, never)
    const [one, two] = nodes
    await one.connect({ id: 'ada' }, 'news')
    await one.settled()
    const others = [await one.connect({ id: 'bob' }, 'news'), await one.connect({ id: 'cem' }, 'news')]
    await two.connect(undefined, 'news')
    for (const other of others) await other.leave()
    expect(heard.notices).toEqual(['0: joined 0 1'])
  })

  test('costs nothing without members that are shown', async () => {
    const { heard, nodes } = await startNodes(2, never)
    const [one, two] = nodes
    const viewer = await one.connect(undefined, 'news')
    await two.connect(undefined, 'news')
    await viewer.leave()
    expect(heard.notices).toEqual([])
  })

  test('costs nothing any more when nobody has asked for three intervals', async () => {
    const { heard, nodes } = await startNodes(2, 50)
    const [one, two] = nodes
    await two.connect({ id: 'ada' }, 'news')
    const viewer = await one.watch('news')
    await viewer.sees('news', 'ada')
    await viewer.leave()
    await until(async () => {
      const before = heard.notices.length
      const bob = await two.connect({ id: 'bob' }, 'news')
      await bob.leave()
      await until(() => two.stats.presence === 1)
      return heard.notices.length === before
    })
  })
})

test('nodes that watch the same topic share their questions', async () => {
  const intervalMs = 50
  const { heard, nodes } = await startNodes(3, intervalMs)
  const began = performance.now()
  await nodes[0].connect({ id: 'ada' }, 'news')
  for (const node of nodes) await node.watch('news')
  const asked = (): number => heard.notices.filter((line) => line.endsWith(' * -')).length
  await until(() => asked() >= 10)
  const before = asked()
  expect(before).toBeLessThanOrEqual((performance.now() - began) / intervalMs)
})

test('everything is asked for once only, also if nobody is present', async () => {
  const { heard, nodes } = await startNodes(1, 50)
  await nodes[0].watch('news')
  await until(() => heard.notices.length >= 3)
  expect(heard.notices.slice(0, 3)).toEqual(['0: ask 0 * 0', '0: ask 0 * -', '0: ask 0 * -'])
})

test('a watcher that arrives while changes are gathered is told of none that its list has', async () => {
  const { nodes } = await startNodes(2, never)
  const [one, two] = nodes
  await two.connect({ id: 'ada' }, 'news')
  const early = await one.watch('news')
  await until(() => one.stats.presence === 2)
  const late = await one.watch('news')
  expect(late.ids('news')).toEqual(['ada'])
  await early.sees('news', 'ada')
  await two.topics.close()
  await Promise.all([early.sees('news'), late.sees('news')])
  expect([early.notices, late.notices]).toEqual([
    ['present news', 'joined news', 'left news'],
    ['present news', 'left news']
  ])
})

describe('of many members', () => {
  test('10,000 at another node arrive in parts, and watchers get one list', async () => {
    const { heard, nodes } = await startNodes(2, 10_000)
    const [one, two] = nodes
    const ids = named(10_000)
    const sockets = ids.map((id) => serveSilent(two.topics, id, 'news'))
    const viewer = await one.watch('news')
    await viewer.sees('news', ...ids)
    expect(viewer.notices).toEqual(['present news', 'present news'])
    expect(heard.longest).toBeLessThan(4_200)
    expect(one.stats.presence).toBe(10_001)
    for (const socket of sockets.slice(3)) socket.emit('close')
    await viewer.sees('news', ...ids.slice(0, 3))
    expect(viewer.notices.length).toBeLessThan(1_000)
    await two.topics.close()
    await viewer.sees('news')
    expect(viewer.faults).toEqual([])
  })

  test('a thousand that come and go on one node are told of singly at first, and then in lists', async () => {
    const { nodes } = await startNodes(1, never)
    const [one] = nodes
    const viewer = await one.watch('news')
    const ids = named(1_000)
    const sockets = ids.map((id) => serveSilent(one.topics, id, 'news'))
    await viewer.sees('news', ...ids)
    const seen = viewer.notices.length
    expect(seen).toBeLessThan(1_000)
    for (const socket of sockets) socket.emit('close')
    await viewer.sees('news')
    expect(viewer.notices.length - seen).toBeLessThan(1_000)
    expect(viewer.faults).toEqual([])
  })

  test('those beyond maxPresence are not shown, and their places are freed', async () => {
    const heard = new Overheard()
    const one = await PresentNode.start(heard.join(), 100, { maxPresence: 10 })
    const two = await PresentNode.start(heard.join(), 100)
    const sockets = named(30).map((id) => serveSilent(two.topics, id, 'news'))
    const viewer = await one.watch('news')
    // The node takes a place too.
    await viewer.sees('news', ...named(9))
    expect(one.stats.presence).toBe(10)
    for (const socket of sockets.slice(1)) socket.emit('close')
    await viewer.sees('news', 'member 0')
    expect(one.stats.presence).toBe(2)
  })
})

describe('of hostile nodes', () => {
  test('members are bounded', async () => {
    const heard = new Overheard()
    const one = await PresentNode.start(heard.join(), never, { maxPresence: 100 })
    const viewer = await one.watch('news')
    for (let node = 0; node < 50; node++) {
      const id = Buffer.alloc(8, node + 1)
      const members = named(60).map((name) => JSON.stringify({ id: `${name} of ${node}` }))
      for (const part of all(node + 1, members)) await heard.inject('news', part, id)
    }
    await viewer.until(() => viewer.ids('news').length === 98)
    expect(one.stats.presence).toBe(100)
  })

  test('questions have one answer in a tick', async () => {
    const heard = new Overheard()
    const one = await PresentNode.start(heard.join(), never)
    await one.connect({ id: 'ada' }, 'news')
    await one.settled()
    for (let count = 0; count < 1_000; count++) await heard.inject('news', 'ask 0 * 0')
    await until(() => one.stats.received === 1_000)
    expect(heard.notices).toEqual(['0: joined 0 1', '0: all 1 0 last'])
  })

  test('what is no notice counts as foreign', async () => {
    const heard = new Overheard()
    const one = await PresentNode.start(heard.join(), never)
    await one.watch('news')
    for (const notice of ['', 'hello', 'here', 'all 1 0 last', 'joined 0 1\nada']) await heard.inject('news', notice)
    await until(() => one.stats.foreign === 5)
    expect(one.stats.received).toBe(0)
  })

  test('notices with changed bytes do no harm', async () => {
    const heard = new Overheard()
    const options = { maxPresence: 1_000 }
    const [one, two] = [
      await PresentNode.start(heard.join(), 100, options),
      await PresentNode.start(heard.join(), 100, options)
    ]
    await two.connect({ id: 'ada' }, 'news')
    const viewer = await one.watch('news')
    const notices = [
      'ask 0 * 0',
      'ask 3 * -',
      `ask 7 ${strangerId.toString('hex')} 3`,
      'here 9',
      'here 0',
      'joined 0 1\n{"id":"bob"}',
      'joined 1 2\n{"id":"bob","info":{"name":"Bob"}}',
      'left 2 3\n{"id":"bob"}',
      'left 3 0\n{"id":"bob"}',
      'all 4 0 more\n{"id":"cem"}\n{"id":"dan"}',
      'all 4 1 last\n{"id":"eve"}'
    ].map((text) => Buffer.from(text))
    let seed = 17
    const random = (below: number): number => {
      seed = (seed * 48_271) % 2_147_483_647
      return seed % below
    }
    for (let count = 0; count < 5_000; count++) {
      const notice = Buffer.from(notices[random(notices.length)] as Buffer)
      for (let changes = random(3); changes > 0; changes--) notice[random(notice.length)] = random(256)
      await heard.inject('news', notice.subarray(0, random(4) === 0 ? random(notice.length) : notice.length))
    }
    await viewer.until(() => viewer.ids('news').includes('ada'))
    expect(viewer.faults).toEqual([])
    expect([one.errors, two.errors]).toEqual([[], []])
    expect(one.stats.presence).toBeLessThan(1_000)
    // The stranger never answers.
    await viewer.sees('news', 'ada')
  })
})

test('a member that is longer than 4,096 characters of JSON is refused', async () => {
  const topics = createTopics<WebSocket>({ backplane: memoryBackplane() })
  atEnd(() => topics.close())
  const { socket } = await (await serveBare()).connect()
  const access = { mayRead: () => true, mayPublish: () => true, presence: { id: 'ada', info: 'x'.repeat(4_096) } }
  expect(() => topics.serve(socket, access)).toThrow(
    'access.presence: expected at most 4096 characters of JSON; got 4118'
  )
  expect(topics.stats().served).toBe(0)
})
