import { AsyncLocalStorage } from 'node:async_hooks'
import { describeWith, RedisServer, redisProgram, takePrinted } from '@oneport/test-kit'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { atEnd, stopAll } from '../../topics/test/pair.ts'
import { redisBackplane } from '../src/index.ts'
import { Node, until } from './node.ts'

afterEach(stopAll)

describeWith(redisProgram, 'on a real Redis', () => {
  let server: RedisServer

  beforeEach(async () => {
    server = await RedisServer.start()
    atEnd(() => server.stop())
  })

  const makers: [name: string, makeClient: () => Parameters<typeof redisBackplane>[0]['client']][] = [
    ['node-redis', () => createClient({ url: server.url })],
    ['node-redis with RESP2', () => createClient({ url: server.url, RESP: 2 })],
    ['ioredis', () => new Redis(server.port, { lazyConnect: true })],
    ['ioredis with RESP2', () => new Redis(server.port, { lazyConnect: true, protocol: 2 })]
  ]

  test('a node with node-redis and one with ioredis reach each other', async () => {
    const [[, nodeRedis], , [, ioRedis]] = makers as [(typeof makers)[0], unknown, (typeof makers)[0]]
    const [one, other] = [
      await Node.start(redisBackplane({ client: nodeRedis() })),
      await Node.start(redisBackplane({ client: ioRedis() }))
    ]
    const [ada, bob] = [await one.connect('news'), await other.connect('news')]
    await Promise.all([one.settled(), other.settled()])
    one.topics.publish('news', 'of node-redis')
    other.topics.publish('news', 'of ioredis')
    await until(() => ada.got.length === 2 && bob.got.length === 2)
    expect([ada.texts().sort(), bob.texts().sort()]).toEqual(Array(2).fill(['of ioredis', 'of node-redis']))
  })

  test.each(makers)(
    '%s: the channel is prefix and topic, and other prefixes do not get the message',
    async (_name, make) => {
      const [one, other] = [
        await Node.start(redisBackplane({ client: make(), prefix: 'a:' })),
        await Node.start(redisBackplane({ client: make(), prefix: 'b:' }))
      ]
      await one.connect('news')
      await other.connect('news')
      await Promise.all([one.settled(), other.settled()])
      const channels = await server.command('PUBSUB', 'CHANNELS')
      expect(channels.match(/.:news/g)?.sort()).toEqual(['a:news', 'b:news'])
      one.topics.publish('news', 'of a')
      const third = await Node.start(redisBackplane({ client: make(), prefix: 'b:' }))
      await third.settled()
      third.topics.publish('news', 'of b')
      await until(() => other.backplane.received === 1)
    }
  )

  test.each(makers)('%s: the client of the application stays as it was, with its listeners', async (_name, make) => {
    const client = make() as ReturnType<typeof createClient>
    const listeners = client.eventNames().length
    const backplane = redisBackplane({ client })
    await until(() => backplane.health() === 'up')
    await backplane.close()
    expect(client.eventNames()).toHaveLength(listeners)
    expect(client.isReady ?? false).toBe(false)
  })

  test.each(makers)('regression: %s: close() leaves no connection that is just being made', async (_name, make) => {
    const backplane = redisBackplane({ client: make() })
    // The system connects in the meantime, and Node has yet to notice.
    const end = performance.now() + 100
    while (performance.now() < end);
    await backplane.close()
    await until(async () => (await server.command('CLIENT', 'LIST')).match(/id=/g)?.length === 1)
  })

  test.each(makers)('%s: errors of its connections are reported, and none once it is closed', async (_name, make) => {
    const errors: unknown[] = []
    const backplane = redisBackplane({ client: make(), onError: (error) => errors.push(error) })
    await until(() => backplane.health() === 'up')
    await server.kill()
    await until(() => errors.length > 2)
    await backplane.close()
    const { length } = errors
    await server.start()
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(errors).toHaveLength(length)
    expect(await server.command('PUBSUB', 'CHANNELS')).toBe('*0\r\n')
  })

  test.each(makers)(
    'regression: an onError that throws ended the process; now %s connects again',
    async (_name, make) => {
      let told = 0
      const storage = new AsyncLocalStorage<string>()
      const stores = new Set<unknown>()
      const backplane = redisBackplane({
        client: make(),
        onError: async () => {
          stores.add(storage.getStore())
          if (++told % 2 === 0) throw Object.create(null)
          throw new Error('of the application')
        }
      })
      atEnd(() => backplane.close())
      await until(() => backplane.health() === 'up')
      await server.kill()
      await until(async () => {
        await storage.run('ada', () => backplane.publish('a', Buffer.from('x'))).catch(() => {})
        return told >= 4
      })
      await server.start()
      await until(() => backplane.health() === 'up')
      for (const entry of takePrinted()) {
        expect(entry).toMatch(/^oneport: onError of redisBackplane failed: [^\p{Cc}]*(?:\n {4}[^\p{Cc}]*)+$/u)
      }
      // A connection error belongs to no publisher.
      expect(stores).toEqual(new Set([undefined]))
    }
  )

  test.each(makers)(
    '%s: what access control forbids fails and is reported; once allowed, it works',
    async (_name, make) => {
      const node = await Node.start(redisBackplane({ client: make() }))
      await server.command('ACL', 'SETUSER', 'default', 'resetchannels')
      await until(() => node.backplane.health === 'up')
      await node.connect('news')
      await until(() => node.errors.length > 0)
      expect(String(node.errors)).toContain('NOPERM')
      expect(node.backplane).toMatchObject({ topics: 0, missing: 1 })
      expect(await node.topics.publishAndConfirm('news', 'x')).toMatchObject({ local: 1, backplane: 'failed' })
      await server.command('ACL', 'SETUSER', 'default', 'allchannels')
      await until(() => node.backplane.missing === 0)
      expect(await node.topics.publishAndConfirm('news', 'x')).toEqual({ local: 1, backplane: 'sent' })
    }
  )

  test('a topic that is not well-formed text stays on its node', async () => {
    const node = await Node.start(redisBackplane({ client: createClient({ url: server.url }) }))
    await node.settled()
    expect(await node.topics.publishAndConfirm('\ud800', 'x')).toMatchObject({
      backplane: 'failed',
      error: new Error('The topic is no well-formed text, so no channel can be named after it.')
    })
  })

  test('close() sends messages that were published just before', async () => {
    const [one, other] = [
      await Node.start(redisBackplane({ client: createClient({ url: server.url }) })),
      await Node.start(redisBackplane({ client: createClient({ url: server.url }) }))
    ]
    const bob = await other.connect('news')
    await Promise.all([one.settled(), other.settled()])
    for (let count = 0; count < 1_000; count++) one.topics.publish('news', `${count}`)
    await one.topics.close()
    await until(() => bob.got.length === 1_000)
    expect(one.backplane).toMatchObject({ sent: 1_000, failed: 0 })
  })
})
