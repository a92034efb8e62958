import { all, ask, here, mostBytes, moved, type Notice, readNotice } from '../src/presence/notice.ts'

const ada = '{"id":"ada"}'
const node = '0011223344556677'

test.each<[Buffer, string, Notice]>([
  [ask(3, undefined, undefined), 'ask 3 * -', { kind: 'ask', version: 3, node: undefined, known: undefined }],
  [ask(0, undefined, 0), 'ask 0 * 0', { kind: 'ask', version: 0, node: undefined, known: 0 }],
  [ask(0, node, 12), `ask 0 ${node} 12`, { kind: 'ask', version: 0, node, known: 12 }],
  [here(0), 'here 0', { kind: 'here', version: 0 }],
  [
    moved('joined', 0, 1, ada),
    `joined 0 1\n${ada}`,
    { kind: 'joined', from: 0, version: 1, member: { id: 'ada', json: ada } }
  ],
  [
    moved('left', 1, 0, ada),
    `left 1 0\n${ada}`,
    { kind: 'left', from: 1, version: 0, member: { id: 'ada', json: ada } }
  ]
])('writes and reads %s', (bytes, text, notice) => {
  expect(bytes.toString()).toBe(text)
  expect(readNotice(bytes)).toEqual(notice)
})

test('writes everything in parts, each with at least one member', () => {
  const long = JSON.stringify({ id: 'ada', info: '€'.repeat(4_070) })
  const parts = all(7, [ada, long, ada, ada])
  expect(parts.map((part) => part.toString().split('\n'))).toEqual([
    ['all 7 0 more', ada],
    ['all 7 1 more', long],
    ['all 7 2 last', ada, ada]
  ])
  expect(parts[1]?.length).toBeLessThan(mostBytes)
  expect(readNotice(parts[1] as Buffer)).toMatchObject({ part: 1, isLast: false, members: [{ id: 'ada', json: long }] })
  expect(readNotice(parts[2] as Buffer)).toMatchObject({ part: 2, isLast: true })
})

test('gives members the form that they have on every node', () => {
  const given = '{ "other": 1, "info": {"b": 1, "a": [1.0]}, "id": "ada", "id": "bob" }'
  expect(readNotice(Buffer.from(`joined 0 1\n${given}`))).toMatchObject({
    member: { id: 'bob', json: '{"id":"bob","info":{"b":1,"a":[1]}}' }
  })
})

const nested = '['.repeat(2_000) + ']'.repeat(2_000)

test.each([
  ['nothing', ''],
  ['an unknown kind', 'gone 1'],
  ['a version that is no number', 'here one'],
  ['a negative version', 'here -1'],
  ['a version with too many digits', 'here 1234567890123456'],
  ['a word too many', 'here 1 2'],
  ['an empty word', 'here '],
  ['a line too many', 'here 1\n'],
  ['an ask of nobody', 'ask 1  -'],
  ['an ask for something else', 'ask 1 * x'],
  ['an ask with a member', `ask 1 * -\n${ada}`],
  ['a member that joins nobody', `joined 1 0\n${ada}`],
  ['a change without a member', 'joined 0 1'],
  ['a change of two members', `left 2 1\n${ada}\n${ada}`],
  ['a member that is no JSON', 'joined 0 1\nada'],
  ['a member that is null', 'joined 0 1\nnull'],
  ['a member without an id', 'joined 0 1\n{"info":1}'],
  ['a member whose id is no string', 'joined 0 1\n{"id":1}'],
  ['a member with an empty id', 'joined 0 1\n{"id":""}'],
  ['a member with a long id', `joined 0 1\n{"id":"${'x'.repeat(257)}"}`],
  ['a long member', `joined 0 1\n{"id":"ada","info":"${'x'.repeat(4_096)}"}`],
  ['everything of nobody', `all 0 0 last\n${ada}`],
  ['everything without members', 'all 1 0 last'],
  ['a part that is neither the last nor followed by more', `all 1 0 none\n${ada}`],
  ['a second member that is none', `all 1 0 last\n${ada}\n1`],
  ['too much', `all 1 0 last\n${Array(1_000).fill(ada).join('\n')}`]
])('does not read %s', (_what, text) => {
  expect(readNotice(Buffer.from(text))).toBeUndefined()
})

test('does not read what is not UTF-8', () => {
  expect(readNotice(Buffer.concat([moved('joined', 0, 1, ada), Buffer.from([0xc3])]))).toBeUndefined()
})

test('reads deeply nested members', () => {
  expect(readNotice(Buffer.from(`joined 0 1\n{"id":"ada","info":${nested}}`))).toMatchObject({ version: 1 })
})
