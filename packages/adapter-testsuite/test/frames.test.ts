import { clientFrame, closeCodeIn, maskedText, opcodes, serverFrame, serverText } from '../src/parts/frames.ts'

describe('a frame', () => {
  test('from a client matches RFC 6455 §5.7', () => {
    expect(clientFrame(opcodes.text, 'Hello', { mask: [0x37, 0xfa, 0x21, 0x3d] })).toEqual(
      Buffer.from([0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58])
    )
  })

  test('from a client has a mask of zeros by default', () => {
    expect(maskedText('é')).toEqual(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xc3, 0xa9]))
  })

  test('from a client can be invalid in every way', () => {
    const wrong = { mask: [], final: false, reserved: 4, announced: 126 }
    expect(clientFrame(opcodes.ping, '', wrong)).toEqual(Buffer.from([0x49, 126, 0, 126]))
  })

  test('from a server matches RFC 6455 §5.7', () => {
    expect(serverText('Hello')).toBe('\x81\x05Hello')
  })

  test.each([
    [125, [0x81, 125]],
    [126, [0x81, 126, 0, 126]],
    [65_535, [0x81, 126, 0xff, 0xff]],
    [65_536, [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]]
  ])('from a server with %p bytes of payload begins with %j', (length, header) => {
    const frame = serverFrame(opcodes.text, Buffer.alloc(length))
    expect([...frame.subarray(0, header.length)]).toEqual(header)
    expect(frame).toHaveLength(header.length + length)
  })

  test('that closes has its code read, with and without a reason', () => {
    expect(closeCodeIn('\x88\x02\x03\xe8')).toBe(1000)
    expect(closeCodeIn('\x88\x05\x0f\xa1bye', 3)).toBe(4001)
  })
})
