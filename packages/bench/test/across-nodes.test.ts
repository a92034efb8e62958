import { createMessage, frameLength, now, payloadLength, publishedAt, topicPath } from '../src/across-nodes/message.ts'
import { pace } from '../src/across-nodes/pace.ts'

test('a message contains the time at which it was published, wherever its frame begins', () => {
  const before = now()
  const message = createMessage()
  expect(message).toHaveLength(payloadLength)
  const bytes = Buffer.concat([Buffer.alloc(7), Buffer.alloc(frameLength - payloadLength), message])
  expect(publishedAt(bytes, 7)).toBeGreaterThanOrEqual(before)
  expect(publishedAt(bytes, 7)).toBeLessThanOrEqual(now())
})

test('topics in spreads of different sizes have different paths', () => {
  expect(topicPath(1, 0)).not.toBe(topicPath(1_000, 0))
})

test.each([
  [0, 20],
  [0.5, 20],
  [0.99, 20]
])('keeps to a rate, however late its timer is, with the phase %p', async (phase, expected) => {
  let count = 0
  await pace(200, 100, phase, () => count++)
  expect(count).toBe(expected)
})
