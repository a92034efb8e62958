import { constants, inflateRawSync } from 'node:zlib'
import type { Deflate } from '../src/deflate.ts'
import { Message } from '../src/message.ts'

const agreed: Deflate = { windowBits: 15, thresholdBytes: 10, zlibOptions: undefined }
const text = 'abc'.repeat(30)

/** Reads a small compressed frame like a receiver. RFC 7692 §7.2.2. */
const inflate = (frame: Buffer, windowBits: number): string =>
  inflateRawSync(Buffer.concat([frame.subarray(2), Buffer.from([0, 0, 0xff, 0xff])]), {
    windowBits,
    finishFlush: constants.Z_SYNC_FLUSH
  }).toString()

test.each([
  ['a string', 'né', '6ec3a9'],
  ['a Buffer', Buffer.from('ab'), '6162'],
  ['a view of part of a buffer', new Uint8Array([0, 1, 2, 3]).subarray(1, 3), '0102'],
  ['a DataView', new DataView(new Uint8Array([7, 8]).buffer, 1), '08'],
  ['an ArrayBuffer', new Uint8Array([9]).buffer, '09']
])('has the bytes of %s', (_kind, data, hex) => {
  expect(new Message(data, true, true).payload.toString('hex')).toBe(hex)
})

test('keeps a copy of what was published', () => {
  const data = Buffer.from('before')
  const message = new Message(data, false, true)
  data.write('after.')
  expect(message.frame.subarray(2).toString()).toBe('before')
})

test.each([[undefined], [7], [{}], [new Blob(['x'])]])('refuses %p', (data) => {
  expect(() => new Message(data as never, false, true)).toThrow(TypeError)
})

test('is compressed once for all connections with the same options', () => {
  const message = new Message(text, false, true)
  const frame = message.frameFor(agreed)
  expect(frame[0]).toBe(0xc1)
  expect(inflate(frame, 15)).toBe(text)
  // RFC 7692 §7.2.1: the sender removes this tail.
  expect(frame.subarray(-4).toString('hex')).not.toBe('0000ffff')
  expect(message.frameFor({ ...agreed })).toBe(frame)
})

test('is compressed again for another window size, and for other options', () => {
  const message = new Message(text, false, true)
  const small = message.frameFor({ ...agreed, windowBits: 9 })
  const fast = message.frameFor({ ...agreed, zlibOptions: { level: 1 } })
  expect(new Set([message.frameFor(agreed), small, fast]).size).toBe(3)
  expect(inflate(small, 9)).toBe(text)
})

test.each([
  ['below the threshold', 'a'.repeat(9), true],
  ['that does not get smaller', 'abcdefghijklmnop', true],
  ['that is empty', '', true],
  ['with compress: false', text, false]
])('a message %s is not compressed', (_kind, data, compress) => {
  const message = new Message(data, false, compress)
  expect(message.frameFor({ ...agreed, thresholdBytes: data === '' ? 0 : 10 })).toBe(message.frame)
})
