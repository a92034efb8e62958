import { headLength, serverFrame } from '../src/frame.ts'

test.each([
  [0, '8100'],
  [1, '8101'],
  [125, '817d'],
  [126, '817e007e'],
  [65_535, '817effff'],
  [65_536, '817f0000000000010000']
])('a text of %d bytes has the header %s', (length, head) => {
  const frame = serverFrame(Buffer.alloc(length, 'x'), false, false)
  expect(headLength(length)).toBe(head.length / 2)
  expect(frame.subarray(0, head.length / 2).toString('hex')).toBe(head)
  expect(frame.subarray(head.length / 2).equals(Buffer.alloc(length, 'x'))).toBe(true)
})

test.each([
  [false, false, 0x81],
  [true, false, 0x82],
  [false, true, 0xc1],
  [true, true, 0xc2]
])('binary %p and compressed %p begin with the byte %d', (isBinary, isCompressed, byte) => {
  expect(serverFrame(Buffer.from('a'), isBinary, isCompressed)[0]).toBe(byte)
})
