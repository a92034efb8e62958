import assert from 'node:assert/strict'
import type { Check } from './cases.ts'
import { listen, plenty, until } from './fixture.ts'

const bytesOf = (text: string): Buffer => Buffer.from(text)

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)

/** What `append` does, and who gets the message. */
export const appending: readonly Check[] = [
  [
    'gives the messages of a topic consecutive offsets from 1, whichever node appends them',
    async ({ node }) => {
      const [one, other] = [await node(), await node()]
      const first = await one.append('news', bytesOf('a'), plenty)
      assert.match(first.epoch, /^\w[\w.-]*$/)
      const rest = [
        await other.append('news', bytesOf('b'), plenty),
        await one.append('news', bytesOf('c'), plenty),
        await other.append('other', bytesOf('d'), plenty)
      ]
      assert.equal(first.offset, 1)
      assert.deepEqual(
        rest.map(({ offset }) => offset),
        [2, 3, 1]
      )
      assert.deepEqual(new Set([first, ...rest.slice(0, 2)].map(({ epoch }) => epoch)).size, 1)
    }
  ],
  [
    'gives no offset twice when nodes append at once, and sends the messages to all in the order of offsets',
    async ({ node }) => {
      const nodes = [await node(), await node(), await node()]
      const inboxes = await Promise.all(nodes.map((each) => listen(each, 'news')))
      const count = 300
      const positions = await Promise.all(
        numbers(count).map((number) => nodes[number % 3]?.append('news', bytesOf(String(number)), plenty))
      )
      const offsets = positions.map((position) => position?.offset ?? 0)
      assert.deepEqual(
        offsets.toSorted((a, b) => a - b),
        numbers(count)
      )
      for (const { got, offsets: received, texts } of inboxes) {
        await until('all messages at all nodes', () => got.length >= count)
        assert.deepEqual(received(), numbers(count))
        const expected = offsets.map((offset, index) => [offset, String(index + 1)] as const)
        assert.deepEqual(
          texts(),
          expected.toSorted(([a], [b]) => a - b).map(([, text]) => text)
        )
      }
    }
  ],
  [
    'keeps the order of the calls of one node, without waiting between them',
    async ({ node }) => {
      const one = await node()
      const texts = numbers(200).map(String)
      await Promise.all(texts.map((text) => one.append('news', bytesOf(text), plenty)))
      assert.deepEqual((await one.read('news', undefined, plenty)).messages.map(String), texts)
    }
  ],
  [
    'sends a message to the node that has appended it too, with its position',
    async ({ node }) => {
      const one = await node()
      const inbox = await listen(one, 'news')
      const position = await one.append('news', bytesOf('mine'), plenty)
      await until('the message', () => inbox.got.length > 0)
      assert.deepEqual(inbox.texts(), ['mine'])
      assert.deepEqual(inbox.got[0]?.position, position)
    }
  ],
  [
    'sends messages of one topic only to nodes that are subscribed to it, and published ones without a position',
    async ({ node }) => {
      const [one, other] = [await node(), await node()]
      const [news, sport] = [await listen(other, 'news'), await listen(other, 'sport')]
      await one.append('sport', bytesOf('goal'), plenty)
      await one.publish('news', bytesOf('plain'))
      await one.append('news', bytesOf('kept'), plenty)
      await until('the messages', () => news.got.length >= 2 && sport.got.length >= 1)
      assert.deepEqual(news.texts(), ['plain', 'kept'])
      assert.deepEqual(news.offsets(), [undefined, 1])
      assert.deepEqual(sport.texts(), ['goal'])
      assert.equal((await one.read('news', undefined, plenty)).messages.length, 1)
    }
  ],
  [
    'appends and sends a message once if its name is appended again, from any node, also at once',
    async ({ node }) => {
      const [one, other] = [await node(), await node()]
      const inbox = await listen(one, 'news')
      const first = await one.append('news', bytesOf('a'), plenty, 'ada 1')
      assert.deepEqual(await one.append('news', bytesOf('a'), plenty, 'ada 1'), first)
      assert.deepEqual(await other.append('news', bytesOf('a'), plenty, 'ada 1'), first)
      const [mine, theirs] = await Promise.all([
        one.append('news', bytesOf('b'), plenty, 'ada 2'),
        other.append('news', bytesOf('b'), plenty, 'ada 2')
      ])
      assert.deepEqual(mine, theirs)
      assert.equal(mine.offset, 2)
      await one.append('sport', bytesOf('a'), plenty, 'ada 1')
      await one.append('news', bytesOf('c'), plenty)
      await until('the last message', () => inbox.texts().includes('c'))
      assert.deepEqual(inbox.texts(), ['a', 'b', 'c'])
      assert.deepEqual(inbox.offsets(), [1, 2, 3])
      assert.deepEqual((await other.read('news', undefined, plenty)).messages.map(String), ['a', 'b', 'c'])
      assert.equal((await other.read('sport', undefined, plenty)).last, 1)
    }
  ],
  [
    'appends names that differ in any way each once',
    async ({ node }) => {
      const one = await node()
      const names = ['', ' ', 'a', 'A', 'a\n', 'a:b', 'a{b}', 'é', '🚀', '__proto__', 'x'.repeat(500)]
      for (const name of names) await one.append('news', bytesOf(name), plenty, name)
      const positions = await Promise.all(names.map((name) => one.append('news', bytesOf('again'), plenty, name)))
      assert.deepEqual(
        positions.map(({ offset }) => offset),
        numbers(names.length)
      )
      assert.equal((await one.read('news', undefined, plenty)).last, names.length)
    }
  ],
  [
    'keeps and sends bytes unchanged: none, every value, and 1 MiB',
    async ({ node }) => {
      const [one, other] = [await node(), await node()]
      const inbox = await listen(other, 'news')
      const messages = [
        Buffer.alloc(0),
        Buffer.from(Array.from({ length: 512 }, (_, index) => index % 256)),
        ...[0, 1, 2, 10, 0xff].map((byte) => Buffer.from([byte])),
        Buffer.alloc(1_048_576, 'né 🚀\0\r\n')
      ]
      for (const message of messages) await one.append('news', message, plenty)
      for (const message of messages) await one.publish('news', message)
      await until('the messages', () => inbox.got.length >= 2 * messages.length)
      const { messages: kept } = await other.read('news', undefined, plenty)
      assert.equal(kept.length, messages.length)
      for (const [index, message] of messages.entries()) {
        const [appended, published] = [inbox.got[index], inbox.got[messages.length + index]]
        assert.ok(appended?.message.equals(message) && appended.position?.offset === index + 1, `appended ${index}`)
        assert.ok(published?.message.equals(message) && published.position === undefined, `published ${index}`)
        assert.ok(kept[index]?.equals(message), `kept ${index}`)
      }
    }
  ],
  [
    'keeps topics of any well-formed name apart',
    async ({ node }) => {
      const one = await node()
      const names = [
        '',
        ' ',
        ' a b ',
        'a:b',
        '{',
        '}',
        '{}x',
        'a}b',
        'a{b}c',
        '{a{b}c',
        'a',
        '{a}',
        '{a}:log',
        'a:log',
        'log:a',
        '\0',
        'a\r\nb',
        "';--",
        '*',
        '__proto__',
        'é',
        'e\u0301',
        '🚀',
        'x'.repeat(256)
      ]
      const inboxes = await Promise.all(names.map((name) => listen(one, name)))
      for (const name of names) {
        assert.equal((await one.append(name, bytesOf(name), plenty, 'id')).offset, 1, `offset in '${name}'`)
      }
      for (const [index, name] of names.entries()) {
        const inbox = inboxes[index]
        await until(`the message of '${name}'`, () => inbox !== undefined && inbox.got.length > 0)
        assert.deepEqual(inbox?.texts(), [name])
        assert.deepEqual((await one.read(name, undefined, plenty)).messages.map(String), [name])
      }
    }
  ]
]
