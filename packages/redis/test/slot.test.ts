import { describeWith, freePort, RedisServer, redisProgram } from '@oneport/test-kit'
import { slotOf, tagOf } from '../src/slot.ts'

// https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags
const names = [
  '',
  '123456789',
  'oneport:news',
  '{user1000}.a',
  '{user1000}.b',
  'foo{}{bar}',
  'foo{{bar}}zap',
  '{a',
  'né 🚀'
]

test('a channel has the slot given in the reference', () => {
  expect(slotOf('123456789')).toBe(0x31c3)
})

test('each slot has a tag, which names that begin with it share', () => {
  for (let slot = 0; slot < 16_384; slot++) {
    const tag = tagOf(slot)
    if (slotOf(tag) !== slot || slotOf(`${tag}a}b{c}`) !== slot) throw new Error(`${tag} is not in slot ${slot}`)
  }
})

describeWith(redisProgram, 'the slot of a channel', () => {
  let server: RedisServer

  beforeAll(async () => {
    server = await RedisServer.start('--cluster-enabled', 'yes', '--cluster-port', String(await freePort()))
  })

  afterAll(() => server.stop())

  test.each(names)('%p matches what Redis says', async (name) => {
    expect(`:${slotOf(name)}\r\n`).toBe(await server.command('CLUSTER', 'KEYSLOT', name))
  })
})
