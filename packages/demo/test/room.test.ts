import fc from 'fast-check'
import { pathOf, roomAt, toRoomName } from '../public/room.mjs'
import { isRoom } from '../src/room.ts'

it.each([
  ['Tea Time!', 'tea-time'],
  ['  --Ops / Deploys-- ', 'ops-deploys'],
  ['Кухня', 'кухня'],
  ['日本語 チャット', '日本語-チャット'],
  ['ไทย', 'ไทย'],
  ['हिन्दी', 'हिन्दी'],
  ['مقهى', 'مقهى'],
  ['שָׁלוֹם', 'שָׁלוֹם'],
  // Persian uses a joiner inside words.
  ['می‌خواهم', 'می‌خواهم'],
  ['👩‍🚀 Space', '👩‍🚀-space'],
  ['🇩🇪 1️⃣ ❤️', '🇩🇪-1️⃣-❤️'],
  // What Unicode considers equivalent is one room.
  ['ｌｏｂｂｙ', 'lobby'],
  ['Cafe\u0301', 'café'],
  ['ﬁsh', 'fish'],
  ['x'.repeat(40), 'x'.repeat(32)],
  ['😀'.repeat(40), '😀'.repeat(32)],
  [`${'x'.repeat(31)} y`, 'x'.repeat(31)],
  // No characters that reorder or hide text, and no invisible ones in ASCII.
  ['a\u202eb\u2066c', 'a-b-c'],
  ['lo\u200dbby', 'lo-bby'],
  ['\u0301a', 'a'],
  ['×÷ !?', '']
])('writes %j as %j', (text, name) => {
  expect(toRoomName(text)).toBe(name)
})

/** Page and server have the same rule, and a name does not change again. */
function expectRoom(text: string): void {
  const name = toRoomName(text)
  if (name === '') return
  const isKept = toRoomName(name) === name && roomAt(pathOf(name)) === name
  // Faster than Jest's expect.
  if (!isKept || !isRoom(name)) throw new Error(`${JSON.stringify(text)} becomes ${JSON.stringify(name)}`)
}

it('writes every character so that the server takes it', () => {
  const faults: string[] = []
  for (let code = 0; code <= 0x10ffff; code++) {
    const name = toRoomName(`x${String.fromCodePoint(code)}y`)
    if (!isRoom(name) || toRoomName(name) !== name) faults.push(code.toString(16))
  }
  expect(faults).toEqual([])
})

it('writes every text so that the server takes it', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), expectRoom), { numRuns: 1_000 })
  const likely = [...'aÀΣ×😀👩ا\u200c\u200d\u0301\ufe0f-  ']
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...likely), { maxLength: 40 }), (parts) => expectRoom(parts.join(''))),
    { numRuns: 10_000 }
  )
})

it.each(['Lobby', 'tea time', '', 'x'.repeat(33), '*', 'a\u202eb', 'lo\u200dbby', 'a/b', '\ud800'])(
  'the server does not take %j',
  (name) => {
    expect(isRoom(name)).toBe(false)
  }
)

it.each([
  ['/', 'lobby'],
  ['/r/tea', 'tea'],
  ['/r/Tea%20Time', 'tea-time'],
  ['/r/%D0%BA%D1%83%D1%85%D0%BD%D1%8F', 'кухня'],
  ['/r/%21', 'lobby']
])('reads %s as %s', (path, name) => {
  expect(roomAt(path)).toBe(name)
})
