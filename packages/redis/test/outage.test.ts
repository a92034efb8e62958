import { setTimeout as sleep } from 'node:timers/promises'
import { describeWith, redisProgram } from '@oneport/test-kit'
import { atEnd, stopAll } from '../../topics/test/pair.ts'
import { type Client, Node, until } from './node.ts'
import { kinds, type Site } from './sites.ts'

// Reconnecting takes up to two seconds, for a Cluster somewhat longer.
jest.setTimeout(60_000)

afterEach(stopAll)

const count = 12

describeWith(redisProgram, 'while Redis is away', () => {
  describe.each(kinds)('$name', ({ name, open }) => {
    let site: Site

    beforeAll(async () => {
      site = await open()
    })

    afterAll(() => site?.stop())

    beforeEach(() => site.recover())

    // Enough topics for every shard to have some.
    const topics = Array.from({ length: count }, (_, index) => `topic ${index}`)

    async function startPair(options?: Parameters<Site['join']>[0]): Promise<[Node, Node, Client]> {
      const [one, other] = [await Node.start(site.join(options)), await Node.start(site.join(options))]
      const bob = await other.connect(...topics)
      await Promise.all([one.settled(), other.settled()])
      return [one, other, bob]
    }

    /** Whether messages of all topics are delivered. */
    async function comesThrough(node: Node, { texts }: Client): Promise<boolean> {
      const mark = `mark ${performance.now()}`
      for (const topic of topics) node.topics.publish(topic, mark)
      const deadline = Date.now() + 500
      const here = (): boolean => texts().filter((text) => text === mark).length === count
      while (!here() && Date.now() < deadline) await sleep(5)
      return here()
    }

    test('killed and restarted under load: local delivery continues, no message is delivered twice, and all topics recover', async () => {
      const [one, other, bob] = await startPair()
      const ada = await one.connect(...topics)
      await one.settled()
      let published = 0
      const load = setInterval(() => {
        for (const topic of topics) one.topics.publish(topic, `${topic}: ${++published}`)
      }, 5)
      atEnd(() => clearInterval(load))
      await until(() => bob.got.length > 10 * count)
      for (const server of site.servers) await server.kill()
      await until(() => one.backplane.health === 'down' && other.backplane.health === 'down')
      const [during, { failed }] = [published, one.backplane]
      const began = performance.now()
      expect(await one.topics.publishAndConfirm(topics[0] as string, 'meanwhile')).toMatchObject({
        local: 1,
        backplane: 'failed',
        error: expect.any(Error)
      })
      // Does not wait for the server to be back.
      expect(performance.now() - began).toBeLessThan(1_000)
      await until(() => published > during + 50 * count)
      expect(one.backplane.failed).toBeGreaterThanOrEqual(failed + 49 * count)
      for (const server of site.servers) await server.start()
      await until(() => comesThrough(one, bob))
      await until(() => comesThrough(other, ada))
      clearInterval(load)
      await until(() => ada.got.filter(({ data }) => data.toString().startsWith('topic')).length === published)
      expect(one.backplane).toMatchObject({ health: 'up', missing: 0, topics: count })
      expect(other.backplane).toMatchObject({ health: 'up', missing: 0, topics: count })
      for (const topic of topics) {
        const numbers = bob.texts().flatMap((text) => {
          const [name, number] = text.split(': ')
          return name === topic && number !== undefined ? [Number(number)] : []
        })
        expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b))
      }
    })

    // Regression: one time in ten, ioredis subscribed to a channel of a Cluster and unsubscribed from it in the wrong order.
    test('its connections are cut, ten times: all topics recover', async () => {
      const [one, other, bob] = await startPair()
      for (let time = 0; time < 10; time++) {
        for (const server of site.servers) {
          await server.command('CLIENT', 'KILL', 'TYPE', 'pubsub')
          await server.command('CLIENT', 'KILL', 'TYPE', 'normal')
        }
        await until(() => comesThrough(one, bob))
        await until(() => other.backplane.health === 'up' && other.backplane.missing === 0)
      }
    })

    test('not running at the start: nodes start without it', async () => {
      for (const server of site.servers) await server.kill()
      const [one, other] = [await Node.start(site.join()), await Node.start(site.join())]
      const [ada, bob] = [await one.connect(...topics), await other.connect(...topics)]
      expect(await one.topics.publishAndConfirm(topics[0] as string, 'alone')).toMatchObject({
        local: 1,
        backplane: 'failed'
      })
      expect(one.backplane).toMatchObject({ health: 'down', topics: 0, missing: count })
      for (const server of site.servers) await server.start()
      await until(() => comesThrough(one, bob))
      await until(() => comesThrough(other, ada))
    })

    test('topics come and go: they are subscribed and unsubscribed when it is back', async () => {
      const [one, other, bob] = await startPair()
      for (const server of site.servers) await server.kill()
      await until(() => one.backplane.health === 'down' && other.backplane.health === 'down')
      const [left, ...kept] = topics
      other.topics.unsubscribe(bob.socket, left as string)
      for (let round = 0; round < 100; round++) {
        other.topics.subscribe(bob.socket, `passing ${round}`)
        other.topics.unsubscribe(bob.socket, `passing ${round}`)
      }
      other.topics.subscribe(bob.socket, 'new')
      for (const server of site.servers) await server.start()
      await until(() => other.backplane.topics === count && other.backplane.missing === 0)
      await until(async () => (await site.subscribers('new')) === 1 && (await site.subscribers(left as string)) === 0)
      await until(async () => (await site.subscribers(kept[0] as string)) === 1)
      for (const round of [0, 50, 99]) expect(await site.subscribers(`passing ${round}`)).toBe(0)
    })

    if (name.endsWith('Cluster')) {
      test('its servers come back one by one: all topics recover', async () => {
        let faults = 0
        const [one, other, bob] = await startPair({ onError: () => faults++ })
        const ada = await one.connect(...topics)
        for (const server of site.servers) await server.kill()
        await until(() => one.backplane.health === 'down' && other.backplane.health === 'down')
        for (const server of site.servers) {
          await server.start()
          const before = faults
          // A Cluster without its majority refuses everything, so the clients reconnect several times.
          await until(() => faults > before + 10 || one.backplane.health === 'up')
        }
        await until(() => comesThrough(one, bob))
        await until(() => comesThrough(other, ada))
        expect(other.backplane).toMatchObject({ missing: 0, topics: count })
      })

      test('one shard is killed: the topics of the others continue, and its own recover', async () => {
        const [one, other, bob] = await startPair()
        const [lost] = site.servers
        await lost?.kill()
        const mark = 'after the kill'
        const results = await Promise.all(topics.map((topic) => one.topics.publishAndConfirm(topic, mark)))
        const sent = results.filter(({ backplane }) => backplane === 'sent').length
        expect(sent).toBeGreaterThan(0)
        expect(sent).toBeLessThan(count)
        await until(() => bob.texts().filter((text) => text === mark).length === sent)
        await lost?.start()
        await until(() => comesThrough(one, bob))
        await until(() => other.backplane.health === 'up' && other.backplane.missing === 0)
      })
    }

    test('hanging: messages fail in time, and only a bounded number of them waits', async () => {
      const [one, , bob] = await startPair({ timeoutMs: 200, maxPendingBytes: 300_000 })
      for (const server of site.servers) server.tell('SIGSTOP')
      const results = await Promise.all(
        Array.from({ length: 500 }, () => one.topics.publishAndConfirm(topics[0] as string, 'x'.repeat(1_000)))
      )
      const messages = results.map((result) => (result.backplane === 'failed' ? String(result.error) : 'sent'))
      expect(messages.filter((message) => message.includes('has not answered in 200 ms')).length).toBeGreaterThan(50)
      expect(messages.filter((message) => message.includes('Redis is too slow')).length).toBeGreaterThan(350)
      expect(one.backplane.health).toBe('partial')
      for (const server of site.servers) server.tell('SIGCONT')
      await until(() => comesThrough(one, bob))
      await until(() => one.backplane.health === 'up')
    })
  })
})
