import { describeWith, RedisServer, redisProgram } from '@oneport/test-kit'
import type { HistoryBackplane, Position } from '@oneport/topics'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { atEnd, stopAll } from '../../topics/test/pair.ts'
import { type RedisBackplaneOptions, redisBackplane } from '../src/index.ts'
import { until } from './node.ts'

jest.setTimeout(30_000)

afterEach(stopAll)

const limits = { messages: 100, ms: 60_000, bytes: 1_000_000 }
const bytesOf = (text: string): Buffer => Buffer.from(text)

async function startServer(...options: string[]): Promise<RedisServer> {
  const server = await RedisServer.start(...options)
  atEnd(() => server.stop())
  return server
}

async function connected(backplane: HistoryBackplane): Promise<HistoryBackplane> {
  atEnd(() => backplane.close())
  await until(() => backplane.health() === 'up')
  return backplane
}

const join = ({ url }: RedisServer, options?: Partial<RedisBackplaneOptions>): Promise<HistoryBackplane> =>
  connected(redisBackplane({ client: createClient({ url }), ...options }))

const textsIn = async (backplane: HistoryBackplane, topic = 'news', after?: Position): Promise<string[]> =>
  (await backplane.read(topic, after, limits)).messages.map(String)

describeWith(redisProgram, 'the history in a real Redis', () => {
  const makers: [name: string, make: (server: RedisServer) => RedisBackplaneOptions['client']][] = [
    ['node-redis with RESP2', ({ url }) => createClient({ url, RESP: 2 })],
    ['node-redis with RESP3', ({ url }) => createClient({ url, RESP: 3 })],
    ['ioredis with RESP2', ({ port }) => new Redis(port, { lazyConnect: true, protocol: 2 })],
    ['ioredis with RESP3', ({ port }) => new Redis(port, { lazyConnect: true, protocol: 3 })],
    ['ioredis with keyPrefix', ({ port }) => new Redis(port, { lazyConnect: true, keyPrefix: 'mine:' })]
  ]

  test.each(makers)('%s keeps bytes, in the keys that the page names', async (_name, make) => {
    const server = await startServer()
    const backplane = await connected(redisBackplane({ client: make(server) }))
    const message = Buffer.from([0, 255, 254, 10, 13])
    await backplane.append('news', message, limits, 'ada 1')
    expect((await backplane.read('news', undefined, limits)).messages).toEqual([message])
    const keys = await server.command('KEYS', '*')
    expect(keys.match(/oneport:.*/g)?.map((key) => key.trim().replace(/id:[\w-]{43}:/, 'id:…:'))).toHaveLength(3)
    for (const key of ['oneport:topic:news', 'oneport:log:news']) {
      expect(await server.command('EXISTS', key)).toBe(':1\r\n')
    }
  })

  const expiryOf = async (server: RedisServer, key: string): Promise<number> =>
    Number(/-?\d+/.exec(await server.command('PTTL', key)))

  test('keys expire: the messages after ms, a name after 90 seconds, the epoch after a day', async () => {
    const server = await startServer()
    const backplane = await join(server)
    await backplane.append('news', bytesOf('a'), limits, 'ada 1')
    expect(await expiryOf(server, 'oneport:log:news')).toBeGreaterThan(50_000)
    expect(await expiryOf(server, 'oneport:log:news')).toBeLessThanOrEqual(60_000)
    expect(await expiryOf(server, 'oneport:topic:news')).toBeGreaterThan(86_000_000)
    const [name = ''] = /oneport:id:[\w-]{43}:news/.exec(await server.command('KEYS', 'oneport:id:*')) ?? []
    expect(await expiryOf(server, name)).toBeGreaterThan(80_000)
    expect(await expiryOf(server, name)).toBeLessThanOrEqual(90_000)
    await backplane.append('news', bytesOf('b'), { ...limits, ms: Infinity })
    expect(await expiryOf(server, 'oneport:log:news')).toBe(-1)
    expect(await expiryOf(server, 'oneport:topic:news')).toBe(-1)
    await backplane.read('sport', undefined, limits)
    expect(await expiryOf(server, 'oneport:topic:sport')).toBeGreaterThan(86_000_000)
  })

  test('a topic without messages for longer than ms goes on in its epoch', async () => {
    const server = await startServer()
    const backplane = await join(server)
    const { epoch } = await backplane.append('news', bytesOf('a'), { ...limits, ms: 20 })
    await until(async () => (await server.command('EXISTS', 'oneport:log:news')) === ':0\r\n')
    expect(await backplane.read('news', undefined, limits)).toEqual({ epoch, last: 1, messages: [] })
    expect(await backplane.append('news', bytesOf('b'), limits)).toEqual({ epoch, offset: 2 })
  })

  // The replica lacks what the primary has acknowledged, and the first primary comes back with what the replica has.
  test('regression: offsets were used again when a server was primary, replica and primary', async () => {
    const [first, second] = [await startServer(), await startServer()]
    const [one, two] = [await join(first), await join(second)]
    const become = async (server: RedisServer, primary?: RedisServer): Promise<void> => {
      if (primary === undefined) await server.command('REPLICAOF', 'NO', 'ONE')
      else {
        await server.command('REPLICAOF', '127.0.0.1', String(primary.port))
        await until(async () => (await server.command('INFO', 'replication')).includes('master_link_status:up'))
      }
    }
    const epochs = [(await one.append('news', bytesOf('a'), limits)).epoch]
    await become(second, first)
    await become(second)
    await one.append('news', bytesOf('seen and lost'), limits)
    // The topic is not used at the second server.
    await become(first, second)
    await become(first)
    const again = await one.append('news', bytesOf('b'), limits)
    expect(again.offset).toBe(1)
    epochs.push(again.epoch)
    epochs.push((await two.read('news', undefined, limits)).epoch)
    expect(new Set(epochs).size).toBe(3)
    expect(await textsIn(one)).toEqual(['b'])
  })

  test('another epoch has none of the messages that the server has kept from before', async () => {
    const server = await startServer('--appendonly', 'yes', '--appendfsync', 'always')
    const backplane = await join(server)
    const before = await backplane.append('news', bytesOf('a'), limits, 'ada 1')
    await server.kill()
    await until(() => backplane.health() === 'down')
    await server.start()
    await until(() => backplane.health() === 'up')
    // The message was kept, and clients may have seen it.
    expect(await backplane.append('news', bytesOf('a'), limits, 'ada 1')).toEqual(before)
    const kept = await backplane.read('news', before, limits)
    expect([kept.last, kept.messages]).toEqual([0, []])
    expect(kept.epoch).not.toBe(before.epoch)
    expect(await backplane.append('news', bytesOf('b'), limits)).toEqual({ epoch: kept.epoch, offset: 1 })
  })

  test('messages that Redis has evicted are missing, and their offsets are not used again', async () => {
    const server = await startServer()
    const backplane = await join(server)
    const { epoch } = await backplane.append('news', bytesOf('a'), limits)
    await server.command('DEL', 'oneport:log:news')
    expect(await backplane.read('news', undefined, limits)).toEqual({ epoch, last: 1, messages: [] })
    await backplane.append('news', bytesOf('b'), limits)
    expect(await textsIn(backplane)).toEqual(['b'])
    await server.command('DEL', 'oneport:topic:news')
    expect(await textsIn(backplane)).toEqual([])
    const next = await backplane.append('news', bytesOf('c'), limits)
    expect(next.offset).toBe(1)
    expect(next.epoch).not.toBe(epoch)
  })

  test('a message that Redis refuses changes nothing', async () => {
    const server = await startServer()
    const backplane = await join(server)
    const got: string[] = []
    await backplane.subscribe('news', (message) => got.push(message.toString()))
    const { epoch } = await backplane.append('news', bytesOf('a'), limits)
    await server.command('CONFIG', 'SET', 'maxmemory', '1')
    await expect(backplane.append('news', bytesOf('b'), limits, 'ada 1')).rejects.toThrow('OOM')
    await server.command('CONFIG', 'SET', 'maxmemory', '0')
    expect(await backplane.append('news', bytesOf('c'), limits, 'ada 1')).toEqual({ epoch, offset: 2 })
    await until(() => got.length > 1)
    expect(got).toEqual(['a', 'c'])
    expect(await textsIn(backplane)).toEqual(['a', 'c'])
  })

  test('a message is refused if the key of its topic belongs to something else', async () => {
    const server = await startServer()
    const backplane = await join(server)
    await backplane.read('sport', undefined, limits)
    await server.command('HSET', 'oneport:log:sport', 'mine', '1')
    await expect(backplane.append('sport', bytesOf('a'), limits)).rejects.toThrow('WRONGTYPE')
    expect(await server.command('HGET', 'oneport:log:sport', 'mine')).toBe('$1\r\n1\r\n')
  })

  test('goes on when Redis has forgotten the scripts, and runs them by their hash', async () => {
    const server = await startServer()
    const backplane = await join(server)
    const appendAll = (texts: readonly string[]) =>
      Promise.all(texts.map((text) => backplane.append('news', bytesOf(text), limits)))
    await appendAll(['a', 'b'])
    await appendAll(['c'])
    await server.command('SCRIPT', 'FLUSH')
    await appendAll(['d', 'e', 'f'])
    await appendAll(['g', 'h'])
    expect(await textsIn(backplane)).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'])
    const stats = await server.command('INFO', 'commandstats')
    const callsOf = (name: string): number => Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1])
    // By their texts: the first two, those that were refused, and the first read.
    expect(callsOf('eval')).toBe(6)
    expect(callsOf('evalsha')).toBe(6)
  })

  test('while Redis does not answer, messages and reads fail in time, and only a bounded number of them waits', async () => {
    const server = await startServer()
    const backplane = await join(server, { timeoutMs: 200, maxPendingBytes: 300_000 })
    server.tell('SIGSTOP')
    atEnd(() => server.tell('SIGCONT'))
    const asked = Array.from({ length: 500 }, (_, index) =>
      index % 2 === 0
        ? backplane.read('news', undefined, limits)
        : backplane.append('news', Buffer.alloc(1_000), limits)
    )
    const results = await Promise.allSettled(asked)
    const messages = results.map((result) => (result.status === 'rejected' ? String(result.reason) : 'done'))
    expect(messages.filter((message) => message.includes('has not answered in 200 ms')).length).toBeGreaterThan(50)
    expect(messages.filter((message) => message.includes('Redis is too slow')).length).toBeGreaterThan(350)
    expect(backplane.health()).toBe('partial')
    server.tell('SIGCONT')
    await until(() => backplane.health() === 'up')
    expect((await backplane.read('sport', undefined, limits)).last).toBe(0)
  })
})
