import assert from 'node:assert/strict'
import type { HistoryBackplane, KeptLimits } from '../backplane.ts'
import type { Check } from './cases.ts'
import { plenty, until } from './fixture.ts'

async function fill(backplane: HistoryBackplane, count: number, limits: KeptLimits = plenty): Promise<string> {
  let epoch = ''
  for (let number = 1; number <= count; number++) {
    epoch = (await backplane.append('news', Buffer.from(String(number)), limits)).epoch
  }
  return epoch
}

const textsOf = (messages: readonly Buffer[]): string[] => messages.map(String)

/** What `read` returns, and how much is kept. */
export const reading: readonly Check[] = [
  [
    'reads everything that is kept, from any node',
    async ({ node }) => {
      const [one, other] = [await node(), await node()]
      const epoch = await fill(one, 3)
      const kept = await other.read('news', undefined, plenty)
      assert.deepEqual({ ...kept, messages: textsOf(kept.messages) }, { epoch, last: 3, messages: ['1', '2', '3'] })
    }
  ],
  [
    'reads at least what comes after a position, up to the newest message',
    async ({ node }) => {
      const one = await node()
      const epoch = await fill(one, 5)
      for (const offset of [0, 2, 4, 5]) {
        const { messages, ...kept } = await one.read('news', { epoch, offset }, plenty)
        assert.deepEqual(kept, { epoch, last: 5 })
        const wanted = ['1', '2', '3', '4', '5'].slice(offset)
        assert.ok(messages.length >= wanted.length)
        assert.deepEqual(textsOf(messages.slice(messages.length - wanted.length)), wanted)
        assert.deepEqual(textsOf(messages), ['1', '2', '3', '4', '5'].slice(5 - messages.length))
      }
    }
  ],
  [
    'reads everything after a position of another epoch, or one that is not reached yet',
    async ({ node }) => {
      const one = await node()
      const epoch = await fill(one, 3)
      const kept = await one.read('news', { epoch: 'another', offset: 2 }, plenty)
      assert.deepEqual({ ...kept, messages: textsOf(kept.messages) }, { epoch, last: 3, messages: ['1', '2', '3'] })
      const ahead = await one.read('news', { epoch, offset: 9 }, plenty)
      assert.deepEqual([ahead.epoch, ahead.last], [epoch, 3])
    }
  ],
  [
    'gives a topic without messages an epoch, which the first message keeps',
    async ({ node }) => {
      const [one, other] = [await node(), await node()]
      const [mine, theirs] = await Promise.all([
        one.read('news', undefined, plenty),
        other.read('news', { epoch: 'another', offset: 7 }, plenty)
      ])
      assert.deepEqual(mine, theirs)
      assert.deepEqual([mine.last, mine.messages.length], [0, 0])
      assert.match(mine.epoch, /^\w[\w.-]*$/)
      assert.deepEqual(await other.append('news', Buffer.from('a'), plenty), { epoch: mine.epoch, offset: 1 })
    }
  ],
  [
    'keeps the newest messages up to a number',
    async ({ node }) => {
      const one = await node()
      const limits = { ...plenty, messages: 3 }
      const epoch = await fill(one, 10, limits)
      for (const after of [undefined, { epoch, offset: 2 }]) {
        const kept = await one.read('news', after, limits)
        assert.deepEqual({ ...kept, messages: textsOf(kept.messages) }, { epoch, last: 10, messages: ['8', '9', '10'] })
      }
    }
  ],
  [
    'keeps the newest messages up to a number of bytes, and counts on if not even one fits',
    async ({ node }) => {
      const one = await node()
      const limits = { ...plenty, bytes: 350 }
      for (let number = 0; number < 10; number++) await one.append('news', Buffer.alloc(100, String(number)), limits)
      const kept = await one.read('news', undefined, limits)
      assert.equal(kept.last, 10)
      assert.deepEqual(
        kept.messages.map((message) => message.toString().slice(0, 1)),
        ['7', '8', '9']
      )
      assert.equal((await one.append('news', Buffer.alloc(351), limits)).offset, 11)
      const none = await one.read('news', undefined, limits)
      assert.deepEqual([none.epoch, none.last, none.messages.length], [kept.epoch, 11, 0])
      await one.append('news', Buffer.from('small'), limits)
      assert.deepEqual(textsOf((await one.read('news', undefined, limits)).messages), ['small'])
    }
  ],
  [
    'keeps messages up to an age, and does not use their offsets again in the same epoch',
    async ({ node }) => {
      const one = await node()
      const limits = { ...plenty, ms: 100 }
      const epoch = await fill(one, 3, limits)
      await until('no message that is too old', async () => {
        const { messages } = await one.read('news', undefined, limits)
        return messages.length === 0
      })
      const next = await one.append('news', Buffer.from('next'), limits)
      assert.equal(next.offset, next.epoch === epoch ? 4 : 1)
    }
  ],
  [
    'removes messages that are too old while newer ones arrive',
    async ({ node }) => {
      const one = await node()
      const limits = { ...plenty, ms: 300 }
      await fill(one, 2, limits)
      await until('only newer messages', async () => {
        const { offset } = await one.append('news', Buffer.from('newer'), limits)
        const { last, messages } = await one.read('news', undefined, limits)
        assert.equal(last, offset)
        return !textsOf(messages).includes('2')
      })
    }
  ],
  [
    'has no limits if they are Infinity',
    async ({ node }) => {
      const one = await node()
      const limits = { messages: Infinity, ms: Infinity, bytes: Infinity }
      await fill(one, 20, limits)
      assert.equal((await one.read('news', undefined, limits)).messages.length, 20)
    }
  ]
]
