import { pieceBytes } from '../src/cost.ts'
import { Held } from '../src/held.ts'
import { Message } from '../src/message.ts'

const message = (text: string): Message => new Message(text, false, false)
const taken = (held: Held, count = Infinity): string[] => {
  const texts: string[] = []
  held.release(({ payload }) => texts.length < count && texts.push(String(payload)) > 0)
  return texts
}

test('releases messages in order, and continues where it stopped', () => {
  const held = new Held()
  for (const text of ['a', 'b', 'c']) held.add(message(text))
  expect(taken(held, 2)).toEqual(['a', 'b'])
  expect(held.cost).toBe(3 + pieceBytes)
  expect(taken(held)).toEqual(['c'])
  expect([held.size, held.cost]).toEqual([0, 0])
})

test('keeps the newest message of a topic, after those without a topic', () => {
  const held = new Held()
  held.add(message('first'))
  expect(held.replace('0', message('old'))).toBe(false)
  expect(held.replace('x', message('other'))).toBe(false)
  expect(held.replace('0', message('new'))).toBe(true)
  expect(held.cost).toBe(7 + 7 + 5 + 3 * pieceBytes)
  expect(taken(held)).toEqual(['first', 'other', 'new'])
})

test('forgets a topic', () => {
  const held = new Held()
  held.replace('x', message('gone'))
  expect([held.discard('x'), held.discard('x'), held.size, held.cost]).toEqual([true, false, 0, 0])
})
