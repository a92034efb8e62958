import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { describeWith, postgresProgram } from '@oneport/test-kit'
import { createTopics, type HistoryBackplane, type Topics, type TopicsOptions } from '@oneport/topics'
import { type WebSocket, WebSocketServer } from 'ws'
import { atEnd, type Bare, serveBare, stopAll } from '../../topics/test/pair.ts'
import { postgresBackplane } from '../src/index.ts'
import { hear, limits, open, openSite, type Site, until } from './site.ts'

jest.setTimeout(60_000)

afterEach(stopAll)

/** All that is not `setTimeout`. */
const others = ['nextTick', 'setImmediate', 'setInterval', 'Date', 'performance', 'queueMicrotask'] as const

/** What a client has been told of a topic, checked as it arrives: offsets go on by one, or there was a gap. */
interface Told {
  readonly texts: string[]
  gaps: number
  readonly errors: string[]
}

describeWith(postgresProgram, 'with a real PostgreSQL', () => {
  let site: Site

  const begin = async (...options: string[]): Promise<void> => {
    const opened = await openSite(...options)
    atEnd(() => opened.stop())
    site = opened
  }

  interface Node {
    readonly topics: Topics<WebSocket>
    connect(topic: string): Promise<Told>
  }

  async function startNode(backplane: HistoryBackplane, options: TopicsOptions<WebSocket> = {}): Promise<Node> {
    const bare: Bare = await serveBare({}, WebSocketServer)
    const topics = createTopics<WebSocket>({ history: {}, backplane, ...options })
    atEnd(() => topics.close())
    return {
      topics,
      async connect(topic) {
        const { client, socket } = await bare.connect()
        const told: Told = { texts: [], gaps: 0, errors: [] }
        let [epoch, last]: [string | undefined, number] = [undefined, 0]
        client.socket.on('message', (data: Buffer) => {
          const [head = '', text = ''] = data.toString().split('\n')
          const [kind, first, second] = head.split(' ')
          if (kind === 'subscribed') [epoch, last] = [first, Number(second)]
          else if (kind === 'gap') {
            if (first === epoch && Number(second) <= last) told.errors.push(`${head} after ${last}`)
            told.gaps++
            ;[epoch, last] = [first, Number(second)]
          } else if (kind === 'message') {
            if (Number(first) !== last + 1) told.errors.push(`${head} after ${last}`)
            last = Number(first)
            told.texts.push(text)
          }
        })
        topics.serve(socket, { mayRead: () => true, mayPublish: () => true })
        client.socket.send(`subscribe - ${topic}`)
        await until(() => epoch !== undefined)
        return told
      }
    }
  }

  /** Publishes from all nodes until it is stopped. @returns what was published, and what was not for sure */
  function publish(nodes: readonly Node[], topics: readonly string[]) {
    const [kept, unsure] = [new Map<string, string[]>(topics.map((topic) => [topic, []])), new Set<string>()]
    const underWay = new Set<Promise<void>>()
    let count = 0
    const timer = setInterval(() => {
      for (const { topics: node } of nodes) {
        for (const topic of topics) {
          const text = `${topic} ${++count}`
          const work = node.publishAndConfirm(topic, text).then(({ backplane }) => {
            if (backplane === 'sent') kept.get(topic)?.push(text)
            else unsure.add(text)
            underWay.delete(work)
          })
          underWay.add(work)
        }
      }
    }, 5)
    atEnd(() => clearInterval(timer))
    const end = async (): Promise<void> => {
      clearInterval(timer)
      await Promise.all(underWay)
    }
    return { kept, unsure, end }
  }

  const names = ['news', 'sport', 'weather']

  /** More than is published while one connection is back and another one waits for its next attempt. */
  const history = { messages: 100_000 }

  test.each([
    [
      'killed and started, three times',
      async (rounds: number) => {
        for (let round = 0; round < rounds; round++) {
          await site.server.kill()
          await site.server.start()
        }
      }
    ],
    [
      'stopped for longer than the timeout, and continued',
      async () => {
        site.server.pause()
        await new Promise((resolve) => setTimeout(resolve, 1_500))
        await site.server.start()
      }
    ],
    [
      'ordered to end all connections, three times',
      async (rounds: number) => {
        for (let round = 0; round < rounds; round++) {
          await site.sql(
            'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and usename is not null'
          )
        }
      }
    ]
  ])('its clients get every message once and in order when it is %s', async (_what, disturb) => {
    await begin()
    const backplanes = [await site.join({ timeoutMs: 1_000 }), await site.join({ timeoutMs: 1_000 })]
    const nodes = await Promise.all(backplanes.map((backplane) => startNode(backplane, { history })))
    const told: (readonly [string, Told])[] = []
    for (const node of nodes) for (const topic of names) told.push([topic, await node.connect(topic)])
    const { kept, unsure, end } = publish(nodes, names)
    const isBusy = (): Promise<void> => {
      const before = [...kept.values()].flat().length
      return until(() => [...kept.values()].flat().length > before + 60)
    }
    await isBusy()
    await disturb(3)
    await until(() => backplanes.every((backplane) => backplane.health() === 'up'))
    await isBusy()
    await end()
    for (const node of nodes) for (const topic of names) await node.topics.publishAndConfirm(topic, 'end')
    for (const [topic, { errors, gaps, texts }] of told) {
      await until(() => texts.filter((text) => text === 'end').length === 2)
      expect(errors).toEqual([])
      expect(gaps).toBe(0)
      const got = texts.filter((text) => text !== 'end')
      expect(new Set(got).size).toBe(got.length)
      const heard = new Set(got)
      expect(kept.get(topic)?.filter((text) => !heard.has(text))).toEqual([])
      expect(got.filter((text) => !kept.get(topic)?.includes(text) && !unsure.has(text))).toEqual([])
    }
    const [first, ...others] = names.map((topic) =>
      told.filter(([name]) => name === topic).map(([, { texts }]) => texts)
    )
    for (const [mine, theirs] of [first, ...others] as string[][][]) expect(mine).toEqual(theirs)
    expect(unsure.size).toBeGreaterThan(0)
  })

  test('nodes start without it, and their clients begin when it is there', async () => {
    await begin()
    await site.server.kill()
    const errors: unknown[] = []
    const backplane = open(site.server, { onError: (error) => errors.push(error) })
    const node = await startNode(backplane)
    const told = node.connect('news')
    await until(() => errors.length > 2)
    expect(backplane.health()).toBe('down')
    expect(await node.topics.publishAndConfirm('news', 'alone')).toMatchObject({ backplane: 'failed' })
    await site.server.start()
    const { texts } = await told
    expect(await node.topics.publishAndConfirm('news', 'hello')).toMatchObject({ backplane: 'sent' })
    await until(() => texts.length > 0)
    expect(texts).toEqual(['hello'])
  })

  test('once one connection is back, the others do not wait for their next attempt', async () => {
    await begin()
    const pairs: Socket[][] = []
    let isUp = false
    const network = createServer((near) => {
      if (!isUp) return void near.resetAndDestroy()
      const far = connect(site.server.port, '127.0.0.1')
      pairs.push([near, far])
      for (const socket of [near, far]) socket.on('error', () => {})
      near.pipe(far).pipe(near)
    })
    await once(network.listen(0, '127.0.0.1'), 'listening')
    atEnd(() => {
      for (const pair of pairs) for (const socket of pair) socket.destroy()
      network.close()
    })
    // No attempt is made by itself.
    jest.useFakeTimers({ doNotFake: [...others] })
    try {
      const { port } = network.address() as AddressInfo
      const errors: unknown[] = []
      const backplane = postgresBackplane({
        connection: `postgresql://postgres@127.0.0.1:${port}/postgres`,
        onError: (error) => errors.push(error)
      })
      atEnd(() => backplane.close())
      await until(() => errors.length === 3)
      isUp = true
      jest.advanceTimersToNextTimer()
      await until(() => backplane.health() === 'up')
      expect(pairs).toHaveLength(3)
    } finally {
      jest.useRealTimers()
    }
  })

  test('while it hangs, messages fail in time, and only a bounded number of them waits', async () => {
    await begin()
    const one = await site.join({ timeoutMs: 500, maxPendingBytes: 300_000 })
    await one.append('news', Buffer.from('a'), limits)
    site.server.pause()
    const message = Buffer.alloc(1_000)
    const reasons = await Promise.all(
      Array.from({ length: 500 }, () => one.append('news', message, limits).then(() => 'kept', String))
    )
    expect(reasons.filter((reason) => reason.includes('PostgreSQL is too slow'))).toHaveLength(402)
    expect(reasons.filter((reason) => reason.includes('has not answered in 500 ms')).length).toBeGreaterThan(90)
    expect(reasons).not.toContain('kept')
    await until(() => one.health() !== 'up')
    await site.server.start()
    await until(() => one.health() === 'up')
    const { got } = await hear(one, 'news')
    const { offset } = await one.append('news', Buffer.from('b'), limits)
    await until(() => got.some(({ position }) => position?.offset === offset))
  })

  test('errors reach onError, not the process, and an onError that fails is reported', async () => {
    await begin()
    const told: unknown[] = []
    const one = await site.join({ onError: (error) => told.push(error) })
    const before = told.length
    await site.sql(
      'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and usename is not null'
    )
    await until(() => told.length > before)
    await until(() => one.health() === 'up')
    expect(String(told[0])).toContain('terminating connection')
  })
})
