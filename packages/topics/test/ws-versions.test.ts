import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type * as ws from 'ws'
import { pieceBytes } from '../src/cost.ts'
import { createTopics } from '../src/index.ts'
import { fill, serveBare, stopAll } from './pair.ts'

afterEach(stopAll)

/**
 * The oldest version of the range, the last one without the parts that we need and the first one with them, and the
 * installed one.
 */
const versions: [name: string, version: string, sent: number][] = [
  ['ws-8.0', '8.0.0', 2],
  ['ws-8.17', '8.17.1', 2],
  ['ws-8.18', '8.18.0', 0],
  ['ws', versionOf('ws'), 0]
]

/** `ws` 8.0 does not export its package.json. */
function versionOf(name: string): string {
  const text = readFileSync(join(dirname(require.resolve(name)), 'package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

/** In CommonJS, `ws` 8.0 exports the class only under this name. */
const load = (name: string): Pick<typeof ws, 'Server'> => require(name)

test('the package supports ws from 8.0 on', () => {
  const text = readFileSync(join(__dirname, '../package.json'), 'utf8')
  expect(JSON.parse(text).peerDependencies).toEqual({ ws: '^8.0.0' })
})

test.each(versions)('of %s, version %s, %d of 2 messages use send', async (name, version, sent) => {
  expect(versionOf(name)).toBe(version)
  const topics = createTopics()
  const perMessageDeflate = { serverNoContextTakeover: true, threshold: 0 }
  const server = await serveBare({ perMessageDeflate }, load(name).Server)
  const { client, socket } = await server.connect(true)
  topics.subscribe(socket, 'a')
  topics.publish('a', 'abcabcabc')
  topics.publish('a', Buffer.from('bytes'))
  expect(await client.next()).toBe('abcabcabc')
  expect(await client.next()).toBe('bytes')
  expect(topics.stats()).toMatchObject({ delivered: 2, sent })
})

test.each(versions)('of %s, version %s, small messages that wait count with their overhead', async (name) => {
  const topics = createTopics({ maxBufferedBytes: 100 * pieceBytes, whenSlow: 'drop' })
  const { client, socket } = await (await serveBare({}, load(name).Server)).connect()
  client.socket.pause()
  fill(socket, 0)
  await new Promise(setImmediate)
  topics.subscribe(socket, 'a')
  let reached = 0
  while (topics.publish('a', 'x') === 1) reached++
  expect([reached > 10, reached <= 100]).toEqual([true, true])
})

test.each(versions)('of %s, version %s, empty messages after a compressed one count', async (name) => {
  const topics = createTopics({ maxBufferedBytes: 100 * pieceBytes, whenSlow: 'drop' })
  const server = await serveBare({ perMessageDeflate: { threshold: 0 } }, load(name).Server)
  const { socket } = await server.connect(true)
  topics.subscribe(socket, 'a')
  let reached = 0
  while (topics.publish('a', '') === 1) reached++
  expect([reached > 90, reached <= 110]).toEqual([true, true])
})

test('a client of ws can subscribe to topics too: it masks its own frames', async () => {
  const topics = createTopics()
  const { client, socket } = await (await serveBare()).connect()
  const message = new Promise((resolve) => socket.once('message', (data) => resolve(String(data))))
  topics.subscribe(client.socket, 'a')
  expect(topics.publish('a', 'hello')).toBe(1)
  expect(await message).toBe('hello')
  expect(topics.stats().sent).toBe(1)
})

test.each(['_state', '_firstFragment', '_socket'])('without %s of the sender, send is called', async (name) => {
  const topics = createTopics()
  const { client, socket } = await (await serveBare()).connect()
  const { _sender } = socket as unknown as { _sender: object }
  const without = new Proxy(_sender, {
    get: (target, key) => (key === name ? undefined : Reflect.get(target, key, target))
  })
  Object.defineProperty(socket, '_sender', { value: without, configurable: true })
  topics.subscribe(socket, 'a')
  Object.defineProperty(socket, '_sender', { value: _sender })
  topics.publish('a', 'hello')
  expect(await client.next()).toBe('hello')
  expect(topics.stats().sent).toBe(1)
})
