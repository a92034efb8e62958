import { mark, openPlaced, unplaced } from '../src/placed.ts'

test.each(['', 'a', '\x01\x00', '\x02', '\x02\n', '\x02a 1\nb', '\n'])(
  'publishes %j unchanged, without a position',
  (text) => {
    const { message, position } = openPlaced(unplaced(Buffer.from(text)))
    expect([message.toString(), position]).toEqual([text, undefined])
  }
)

test('only messages that look like one with a header get longer', () => {
  const message = Buffer.from('\x01hello')
  expect(unplaced(message)).toBe(message)
  expect(unplaced(Buffer.from('\x02')).toString()).toBe('\x02\n\x02')
})

test('reads the header, and leaves the message as it is', () => {
  const { message, position } = openPlaced(Buffer.from(`${mark}0a1b 42\nx\n\x02`))
  expect(position).toEqual({ epoch: '0a1b', offset: 42 })
  expect(message.toString()).toBe('x\n\x02')
})

test.each([
  'no line feed',
  'a\n',
  'a 0\n',
  'a 01\n',
  'a -1\n',
  'a 1 \n',
  'a 1234567890123456\n',
  '-a 1\n',
  `${'a'.repeat(65)} 1\n`,
  `${' '.repeat(200)}\n`,
  'a\0 1\n'
])('security: takes bytes with the malformed header %j for a message without a position', (header) => {
  const bytes = Buffer.from(`${mark}${header}text`)
  expect(openPlaced(bytes)).toEqual({ message: bytes, position: undefined })
})
