import { addReplica, describeWith, type RedisServer, redisProgram } from '@oneport/test-kit'
import { atEnd, stopAll } from '../../topics/test/pair.ts'
import { until } from './node.ts'
import { Reader, type ServingNode, startServing } from './served.ts'
import { kinds, type Site } from './sites.ts'

// Reconnecting takes up to two seconds, for a Cluster somewhat longer, and a failover more.
jest.setTimeout(90_000)

afterEach(stopAll)

// Enough topics for every shard to have some.
const topics = Array.from({ length: 12 }, (_, index) => `topic-${index}`)

/** Publishes numbers on all topics, on each topic one after the other, until it is stopped. */
class Publisher {
  readonly acknowledged = new Map<string, number[]>(topics.map((topic) => [topic, []]))
  failed = 0
  readonly #work: Promise<unknown>
  #isStopped = false

  constructor({ topics: { publishAndConfirm } }: ServingNode) {
    this.#work = Promise.all(
      topics.map(async (topic) => {
        for (let number = 1; !this.#isStopped; number++) {
          const { backplane } = await publishAndConfirm(topic, String(number))
          if (backplane === 'sent') this.acknowledged.get(topic)?.push(number)
          else this.failed++
          await new Promise((resolve) => setTimeout(resolve, 5))
        }
      })
    )
    atEnd(() => this.stop())
  }

  /** Waits until so many more messages of each topic are acknowledged. */
  async more(count: number): Promise<void> {
    const before = this.#counts()
    await until(() => this.#counts().every((now, index) => now >= (before[index] ?? 0) + count))
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#work
  }

  #counts(): number[] {
    return [...this.acknowledged.values()].map(({ length }) => length)
  }
}

interface Scene {
  readonly publisher: Publisher
  readonly nodes: readonly [ServingNode, ServingNode]
  /** Publishes more, stops, and waits until the readers have the last messages. @returns what is wrong */
  end(): Promise<{ faults: string[]; gaps: number }>
}

/** Two nodes; a reader at each, and one that moves between them. All messages are published at the first. */
async function play(site: Site, options?: Parameters<Site['join']>[0]): Promise<Scene> {
  const nodes = [await startServing(site.join(options)), await startServing(site.join(options))] as const
  const readers = [new Reader(topics), new Reader(topics), new Reader(topics)] as const
  const [near, far, mover] = readers
  await near.visit(nodes[0])
  await far.visit(nodes[1])
  await mover.visit(nodes[1])
  await until(() => readers.every(({ isSubscribed }) => isSubscribed))
  const publisher = new Publisher(nodes[0])
  await publisher.more(10)
  let isOver = false
  const moves = (async () => {
    for (let turn = 0; !isOver; turn++) {
      await mover.leave()
      await publisher.more(3)
      await mover.visit(nodes[turn % 2] as ServingNode)
      await publisher.more(10)
    }
  })()
  return {
    publisher,
    nodes,
    async end() {
      await publisher.more(20)
      isOver = true
      await moves
      await publisher.stop()
      const last = (topic: string): string => String(publisher.acknowledged.get(topic)?.at(-1))
      await until(() => topics.every((topic) => readers.every((reader) => reader.textsOf(topic).includes(last(topic)))))
      const faults = topics.flatMap((topic) =>
        readers.flatMap((reader) => reader.check(topic, publisher.acknowledged.get(topic) ?? []))
      )
      return { faults, gaps: readers.reduce((sum, { gaps }) => sum + gaps, 0) }
    }
  }
}

const onAll = async ({ servers }: Site, ...words: string[]): Promise<void> => {
  for (const server of servers) await server.command(...words)
}

async function restart({ servers, recover }: Site, publisher: Publisher): Promise<void> {
  const { failed } = publisher
  for (const server of servers) await server.kill()
  await until(() => publisher.failed > failed + topics.length)
  await recover()
}

describeWith(redisProgram, 'clients of topics with a history have every message once, or are told of a gap', () => {
  describe.each(kinds)('$name', ({ name, open }) => {
    async function begin(...options: string[]): Promise<Site> {
      const site = await open(...options)
      atEnd(() => site.stop())
      return site
    }

    test('Redis is killed and starts without its data: gaps', async () => {
      const site = await begin()
      const scene = await play(site)
      await restart(site, scene.publisher)
      const { faults, gaps } = await scene.end()
      expect(faults).toEqual([])
      expect(gaps).toBeGreaterThanOrEqual(3 * topics.length)
    })

    test('Redis is killed and starts with its data, of which the last may be lost: gaps', async () => {
      const site = await begin('--appendonly', 'yes', '--appendfsync', 'everysec')
      const scene = await play(site)
      await restart(site, scene.publisher)
      const { faults, gaps } = await scene.end()
      expect(faults).toEqual([])
      expect(gaps).toBeGreaterThanOrEqual(3 * topics.length)
    })

    test('Redis hangs: no gap', async () => {
      const site = await begin()
      const scene = await play(site, { timeoutMs: 200 })
      const { failed } = scene.publisher
      for (const server of site.servers) server.tell('SIGSTOP')
      await until(() => scene.publisher.failed >= failed + topics.length)
      for (const server of site.servers) server.tell('SIGCONT')
      expect(await scene.end()).toEqual({ faults: [], gaps: 0 })
    })

    test('all connections are cut, again and again: no gap', async () => {
      const site = await begin()
      const scene = await play(site)
      for (let round = 0; round < 3; round++) {
        await onAll(site, 'CLIENT', 'KILL', 'TYPE', 'pubsub')
        if (round > 0) await onAll(site, 'CLIENT', 'KILL', 'TYPE', 'normal')
        await scene.publisher.more(10)
      }
      expect(await scene.end()).toEqual({ faults: [], gaps: 0 })
    })

    if (name.endsWith('Cluster')) {
      async function beginWithReplica(): Promise<{ site: Site; master: RedisServer; replica: RedisServer }> {
        const site = await begin()
        const [master] = site.servers as [RedisServer]
        const replica = await addReplica(site.servers, master)
        atEnd(() => replica.stop())
        return { site, master, replica }
      }

      test('a master is killed and its replica takes over: gaps', async () => {
        const { site, master } = await beginWithReplica()
        const scene = await play(site)
        await master.kill()
        const { faults, gaps } = await scene.end()
        expect(faults).toEqual([])
        expect(gaps).toBeGreaterThan(0)
      })

      test('what a shard forbids when it is connected again is subscribed once it is allowed', async () => {
        const site = await begin()
        const errors: string[] = []
        const backplane = site.join({ onError: (error) => errors.push(String(error)) })
        atEnd(() => backplane.close())
        await until(() => backplane.health() === 'up')
        const [lost, got] = [new Set<string>(), new Set<string>()]
        for (const topic of topics) {
          await backplane.subscribe(
            topic,
            () => got.add(topic),
            () => lost.add(topic)
          )
        }
        await onAll(site, 'ACL', 'SETUSER', 'default', 'resetchannels')
        await onAll(site, 'CLIENT', 'KILL', 'TYPE', 'pubsub')
        await until(() => errors.some((error) => error.includes('NOPERM')))
        await onAll(site, 'ACL', 'SETUSER', 'default', 'allchannels')
        await until(() => topics.every((topic) => lost.has(topic)))
        for (const topic of topics) await backplane.publish(topic, Buffer.from('a'))
        await until(() => got.size === topics.length)
      })

      test('a shard that hangs keeps nobody waiting who wants to subscribe', async () => {
        const site = await begin()
        const backplane = site.join({ onError() {} })
        atEnd(() => backplane.close())
        await until(() => backplane.health() === 'up')
        const [topic = ''] = topics
        const got: string[] = []
        const subscribe = () => backplane.subscribe(topic, (message) => got.push(String(message)))
        for (const server of site.servers) server.tell('SIGSTOP')
        await expect(subscribe()).rejects.toThrow(/^Redis has not answered a command to subscribe in \d+ ms\.$/)
        for (const server of site.servers) server.tell('SIGCONT')
        await until(() =>
          subscribe().then(
            () => true,
            () => false
          )
        )
        await until(async () => {
          await backplane.publish(topic, Buffer.from('a')).catch(() => {})
          return got.length > 0
        })
      })

      test('after a replica has taken over, nodes read all its topics again', async () => {
        const { site, replica } = await beginWithReplica()
        const backplane = site.join()
        atEnd(() => backplane.close())
        await until(() => backplane.health() === 'up')
        const [lost, got] = [new Set<string>(), new Set<string>()]
        for (const topic of topics) {
          await backplane.subscribe(
            topic,
            () => got.add(topic),
            () => lost.add(topic)
          )
        }
        const moved = topics.filter((topic) => site.serverOf(topic) === site.servers[0])
        expect(moved.length).toBeGreaterThan(0)
        lost.clear()
        await replica.command('CLUSTER', 'FAILOVER')
        await until(() => moved.every((topic) => lost.has(topic)))
        // From then on they are subscribed.
        const limits = { messages: 10, ms: 60_000, bytes: 1_000 }
        await until(async () => {
          await Promise.allSettled(moved.map((topic) => backplane.append(topic, Buffer.from('a'), limits)))
          return moved.every((topic) => got.has(topic))
        })
      })

      test('a replica takes over from a master that goes on as its replica: gaps', async () => {
        const { site, replica } = await beginWithReplica()
        const scene = await play(site)
        await replica.command('CLUSTER', 'FAILOVER')
        await until(async () => (await replica.command('INFO', 'replication')).includes('role:master'))
        const { faults, gaps } = await scene.end()
        expect(faults).toEqual([])
        expect(gaps).toBeGreaterThan(0)
      })
    }
  })
})
