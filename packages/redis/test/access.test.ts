import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeWith, RedisServer, redisProgram, startRedisCluster } from '@oneport/test-kit'
import { Cluster, Redis } from 'ioredis'
import { createClient, createCluster } from 'redis'
import { atEnd, stopAll } from '../../topics/test/pair.ts'
import { type RedisClient, redisBackplane } from '../src/index.ts'
import { Node, until } from './node.ts'

jest.setTimeout(30_000)

afterEach(stopAll)

const page = readFileSync(join(__dirname, '../../../docs/redis.md'), 'utf8')
const rules = [...page.matchAll(/^\* `(resetchannels .*)`$/gm)].map(([, rule = '']) => rule.split(' '))
const rulesOfHistory = [...page.matchAll(/^\* `(~.* \+eval .*)`$/gm)].map(([, rule = '']) => rule.split(' '))
const [username, password] = ['oneport', 'secret']

describeWith(redisProgram, 'the rules for a user that the page shows', () => {
  type Case = [name: string, rule: number, makeClient: (ports: readonly number[]) => RedisClient]
  const cases: Case[] = [
    ['node-redis', 0, ([port = 0]) => createClient({ username, password, socket: { host: '127.0.0.1', port } })],
    ['ioredis', 0, ([port = 0]) => new Redis({ port, username, password, lazyConnect: true })],
    [
      'node-redis and a Cluster',
      1,
      (ports) =>
        createCluster({
          rootNodes: ports.map((port) => ({ socket: { host: '127.0.0.1', port } })),
          defaults: { username, password }
        })
    ],
    [
      'ioredis and a Cluster',
      1,
      (ports) =>
        new Cluster(
          ports.map((port) => ({ host: '127.0.0.1', port })),
          { lazyConnect: true, redisOptions: { username, password } }
        )
    ]
  ]

  async function startServers(rule: number, allowed: readonly string[]): Promise<number[]> {
    const servers = rule === 0 ? [await RedisServer.start()] : await startRedisCluster()
    for (const server of servers) {
      atEnd(() => server.stop())
      await server.command('ACL', 'SETUSER', username, 'on', `>${password}`, ...allowed)
      await server.command('ACL', 'SETUSER', 'default', 'off')
    }
    return servers.map(({ port }) => port)
  }

  test.each(cases)('are sufficient for %s', async (_name, rule, makeClient) => {
    const ports = await startServers(rule, rules[rule] as string[])
    const [one, other] = [
      await Node.start(redisBackplane({ client: makeClient(ports) })),
      await Node.start(redisBackplane({ client: makeClient(ports) }))
    ]
    const bob = await other.connect('news')
    await Promise.all([one.settled(), other.settled()])
    expect(await one.topics.publishAndConfirm('news', 'hello')).toEqual({ local: 0, backplane: 'sent' })
    await until(() => bob.got.length === 1)
    other.topics.unsubscribe(bob.socket, 'news')
    await until(() => other.backplane.topics === 0)
    expect([...one.errors, ...other.errors]).toEqual([])
  })

  test.each(cases)('are sufficient for a history with %s', async (_name, rule, makeClient) => {
    const ports = await startServers(rule, [...(rules[rule] as string[]), ...(rulesOfHistory[rule] as string[])])
    const backplane = redisBackplane({ client: makeClient(ports) })
    atEnd(() => backplane.close())
    await until(() => backplane.health() === 'up')
    // Of each shard.
    for (const topic of ['news', 'sport', 'weather', 'a}b', '{c}d']) {
      for (const ms of [1_000, Infinity]) {
        const limits = { messages: 2, ms, bytes: 1_000 }
        for (const text of ['a', 'b', 'c']) await backplane.append(topic, Buffer.from(text), limits, `${text} ${ms}`)
        expect((await backplane.read(topic, undefined, limits)).messages.map(String)).toEqual(['b', 'c'])
      }
    }
  })
})
