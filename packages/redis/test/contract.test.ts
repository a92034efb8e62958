import { describeWith, redisProgram } from '@oneport/test-kit'
import type { Backplane } from '@oneport/topics'
import { stopAll } from '../../topics/test/pair.ts'
import { Node, until } from './node.ts'
import { type Kind, kinds, memory, type Site } from './sites.ts'

// A Cluster takes long on a busy machine.
jest.setTimeout(30_000)

afterEach(stopAll)

/** Tracks whether a backplane has anything left to subscribe to or unsubscribe from. */
function watch(backplane: Backplane): { backplane: Backplane; isIdle(): boolean } {
  let underWay = 0
  const count = async (work: Promise<unknown>): Promise<void> => {
    underWay++
    await work.finally(() => underWay--)
  }
  return {
    backplane: {
      ...backplane,
      subscribe: (topic, receive) => count(backplane.subscribe(topic, receive)),
      unsubscribe: (topic) => count(backplane.unsubscribe(topic))
    },
    isIdle: () => underWay === 0
  }
}

function describeBackplane({ name, open }: Kind): void {
  describe(name, () => {
    let site: Site
    let topic: string
    let count = 0

    beforeAll(async () => {
      site = await open()
    })

    afterAll(() => site.stop())

    beforeEach(() => {
      topic = `news of ${++count}`
    })

    const startNode = (): Promise<Node> => Node.start(site.join())

    test('delivers a message to the other nodes, once to each socket', async () => {
      const [one, other] = [await startNode(), await startNode()]
      const [ada, bob, eve] = [await one.connect(topic), await other.connect(topic), await other.connect('else')]
      await Promise.all([one.settled(), other.settled()])
      expect(await one.topics.publishAndConfirm(topic, 'first')).toEqual({ local: 1, backplane: 'sent' })
      await until(() => bob.got.length === 1)
      expect(other.topics.publish(topic, 'answer')).toBe(1)
      await until(() => ada.got.length === 2 && bob.got.length === 2)
      // These messages follow the others, and so show that none was delivered twice.
      one.topics.publish(topic, 'last')
      await until(() => bob.got.length === 3)
      expect(ada.texts()).toEqual(['first', 'answer', 'last'])
      expect(bob.texts()).toEqual(['first', 'answer', 'last'])
      expect(eve.texts()).toEqual([])
      expect(one.backplane).toMatchObject({ sent: 2, received: 1, foreign: 0, failed: 0, topics: 1 })
      expect(other.backplane).toMatchObject({ sent: 1, received: 2, foreign: 0, failed: 0, topics: 2 })
    })

    test('delivers bytes of every value unchanged, and marks text as text', async () => {
      const [one, other] = [await startNode(), await startNode()]
      const bob = await other.connect(topic)
      await Promise.all([one.settled(), other.settled()])
      const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, index) => index % 256))
      one.topics.publish(topic, bytes)
      one.topics.publish(topic, new Uint8Array())
      one.topics.publish(topic, 'né 🚀\0\r\n')
      await until(() => bob.got.length === 3)
      expect(bob.got.map(({ isBinary }) => isBinary)).toEqual([true, true, false])
      expect(bob.got[0]?.data.equals(bytes)).toBe(true)
      expect(bob.texts().slice(1)).toEqual(['', 'né 🚀\0\r\n'])
    })

    test('delivers messages of one topic in order', async () => {
      const [one, other] = [await startNode(), await startNode()]
      const bob = await other.connect(topic)
      await Promise.all([one.settled(), other.settled()])
      const sent = Array.from({ length: 2_000 }, (_, index) => String(index))
      for (const text of sent) {
        one.topics.publish(topic, text)
        if (Number(text) % 100 === 0) await new Promise(setImmediate)
      }
      await until(() => bob.got.length === sent.length)
      expect(bob.texts()).toEqual(sent)
    })

    test('accepts any well-formed name for a topic', async () => {
      const names = ['', '\0', ' a\r\nb', '{', '{}x', 'a{b}c', '__proto__', '🚀', '*', 'x'.repeat(256)]
      const [one, other] = [await startNode(), await startNode()]
      const bob = await other.connect(...names)
      await Promise.all([one.settled(), other.settled()])
      for (const name of names) {
        one.topics.publish(name, name)
        await until(() => bob.got.length > 0)
        expect(bob.got.splice(0).map(({ data }) => data.toString())).toEqual([name])
      }
    })

    test('subscribes once per topic, whatever the number of sockets, and unsubscribes when the last one leaves', async () => {
      const [one, other] = [await startNode(), await startNode()]
      const [ada, bob] = [await one.connect(topic), await one.connect(topic)]
      await other.connect(topic)
      await Promise.all([one.settled(), other.settled()])
      expect(await site.subscribers(topic)).toBe(2)
      one.topics.unsubscribe(ada.socket, topic)
      expect(one.backplane.topics).toBe(1)
      bob.socket.terminate()
      await until(() => one.backplane.topics === 0)
      expect(await site.subscribers(topic)).toBe(1)
      expect(one.backplane.missing).toBe(0)
      expect(other.backplane.topics).toBe(1)
    })

    test('ends in the right state, however fast topics come and go', async () => {
      const { backplane, isIdle } = watch(site.join())
      const [one, other] = [await Node.start(backplane), await startNode()]
      const ada = await one.connect()
      await Promise.all([one.settled(), other.settled()])
      const [kept, left] = [`${topic}: kept`, `${topic}: left`]
      for (let round = 0; round < 30; round++) {
        for (const name of [kept, left]) {
          one.topics.subscribe(ada.socket, name)
          if (round % 3 === 0) await new Promise(setImmediate)
          if (name === left || round < 29) one.topics.unsubscribe(ada.socket, name)
        }
      }
      // In between, it may look finished.
      await until(() => isIdle() && one.backplane.topics === 1 && one.backplane.missing === 0)
      await until(async () => (await site.subscribers(kept)) === 1 && (await site.subscribers(left)) === 0)
      expect(await other.topics.publishAndConfirm(kept, 'here')).toEqual({ local: 0, backplane: 'sent' })
      await until(() => ada.got.length === 1)
      expect(ada.texts()).toEqual(['here'])
    })

    test('security: drops and counts messages that no node has made, and continues', async () => {
      const one = await startNode()
      const ada = await one.connect(topic)
      await one.settled()
      const foreign = [
        Buffer.alloc(0),
        Buffer.from([1]),
        Buffer.from('{"hello":"world"}'),
        Buffer.concat([Buffer.from([2, 0]), Buffer.alloc(30)]),
        Buffer.concat([Buffer.from([1, 4]), Buffer.alloc(30)]),
        // Text that is not UTF-8.
        Buffer.concat([Buffer.from([1, 0]), Buffer.alloc(8), Buffer.from([0xff, 0xfe])]),
        Buffer.alloc(100_000, 0xff)
      ]
      for (const bytes of foreign) await site.inject(topic, bytes)
      await until(() => one.backplane.foreign === foreign.length)
      const other = await startNode()
      await other.settled()
      other.topics.publish(topic, 'real')
      await until(() => ada.got.length > 0)
      expect(ada.texts()).toEqual(['real'])
      expect(one.backplane.received).toBe(1)
    })

    test('leaves nothing behind when it is closed, and refuses later calls', async () => {
      const [one, other] = [await startNode(), await startNode()]
      await one.connect(topic)
      const bob = await other.connect(topic)
      await Promise.all([one.settled(), other.settled()])
      one.topics.publish(topic, 'last')
      await Promise.all([one.topics.close(), one.topics.close()])
      await until(async () => (await site.subscribers(topic)) === 1)
      await until(() => bob.got.length === 1)
      expect(one.topics.publish(topic, 'too late')).toBe(0)
      expect(await one.topics.publishAndConfirm(topic, 'too late')).toMatchObject({ local: 0, backplane: 'failed' })
      expect(one.backplane).toMatchObject({ health: 'down', topics: 0, failed: 2 })
      expect(bob.texts()).toEqual(['last'])
    })
  })
}

describeBackplane(memory)
for (const kind of kinds) describeWith(redisProgram, 'with a real Redis', () => describeBackplane(kind))
