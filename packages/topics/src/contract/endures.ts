import assert from 'node:assert/strict'
import type { HistoryBackplane } from '../backplane.ts'
import type { Check } from './cases.ts'
import { listen, plenty, until } from './fixture.ts'

/** Asks until the store answers. */
async function insist<T>(ask: () => Promise<T>): Promise<T> {
  let answer: { readonly value: T } | undefined
  await until('an answer', async () => {
    try {
      answer = { value: await ask() }
    } catch {
      // It may not be connected yet.
    }
    return answer !== undefined
  })
  return (answer as unknown as { readonly value: T }).value
}

const appendTo = (backplane: HistoryBackplane, text: string) =>
  insist(() => backplane.append('news', Buffer.from(text), plenty, text))

/** Subscriptions, and what happens when a connection or the data is lost. */
export const enduring: readonly Check[] = [
  [
    'delivers nothing more of a topic after unsubscribe, and all of it when it is subscribed again',
    async ({ node }) => {
      const [one, other] = [await node(), await node()]
      const [before, sport] = [await listen(other, 'news'), await listen(other, 'sport')]
      await one.append('news', Buffer.from('a'), plenty)
      await until('the first message', () => before.got.length > 0)
      await other.unsubscribe('news')
      await one.append('news', Buffer.from('b'), plenty)
      await one.append('sport', Buffer.from('goal'), plenty)
      await until('a message of another topic', () => sport.got.length > 0)
      const after = await listen(other, 'news')
      await one.append('news', Buffer.from('c'), plenty)
      await until('the last message', () => after.got.length > 0)
      assert.deepEqual([before.texts(), after.texts()], [['a'], ['c']])
      assert.deepEqual(after.offsets(), [3])
    }
  ],
  [
    'tells of losses and goes on after its connections were lost',
    async ({ node, cut, restore }) => {
      if (cut === undefined || restore === undefined) return
      const [one, other] = [await node(), await node()]
      const [news, sport] = [await listen(other, 'news'), await listen(other, 'sport')]
      const first = await one.append('news', Buffer.from('a'), plenty)
      await until('the first message', () => news.got.length > 0)
      await cut()
      await restore()
      await until('lost() for each topic', () => news.losses > 0 && sport.losses > 0)
      const next = await appendTo(one, 'b')
      assert.equal(next.offset, next.epoch === first.epoch ? 2 : 1)
      await until('a further message', () => news.texts().includes('b'))
      const kept = await insist(() => other.read('news', undefined, plenty))
      assert.equal(kept.epoch, next.epoch)
      assert.ok(kept.messages.map(String).includes('b'))
    }
  ],
  [
    'begins another epoch when what was kept is lost',
    async ({ node, forget }) => {
      if (forget === undefined) return
      const [one, other] = [await node(), await node()]
      const first = await one.append('news', Buffer.from('a'), plenty)
      await one.append('news', Buffer.from('b'), plenty)
      await forget()
      const next = await appendTo(other, 'c')
      assert.equal(next.offset, 1)
      assert.notEqual(next.epoch, first.epoch)
      const kept = await one.read('news', first, plenty)
      assert.deepEqual([kept.epoch, kept.last, kept.messages.map(String)], [next.epoch, 1, ['c']])
    }
  ],
  [
    'is up, and after close down: it delivers nothing more and refuses everything',
    async ({ node }) => {
      const [one, other] = [await node(), await node()]
      const [closed, open] = [await listen(one, 'news'), await listen(other, 'news')]
      assert.equal(one.health(), 'up')
      await one.close()
      await one.close()
      assert.equal(one.health(), 'down')
      await other.append('news', Buffer.from('a'), plenty)
      await until('the message at the other node', () => open.got.length > 0)
      assert.deepEqual(closed.got, [])
      const message = Buffer.from('b')
      await assert.rejects(one.append('news', message, plenty))
      await assert.rejects(one.publish('news', message))
      await assert.rejects(one.read('news', undefined, plenty))
      await assert.rejects(one.subscribe('news', () => {}))
      assert.equal((await other.read('news', undefined, plenty)).last, 1)
    }
  ]
]
