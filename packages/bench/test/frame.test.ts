import { clientFrame, opcodes, serverFrame } from '../src/generator/frame.ts'

describe('a frame', () => {
  test('of a client is the one of RFC 6455 §5.7', () => {
    expect(clientFrame(opcodes.text, Buffer.from('Hello'))).toEqual(
      Buffer.from([0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58])
    )
  })

  test.each([
    [125, [0x81, 125]],
    [126, [0x81, 126, 0, 126]],
    [65_535, [0x81, 126, 0xff, 0xff]],
    [65_536, [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]]
  ])('of a server with %p bytes begins with %j', (length, header) => {
    const frame = serverFrame(opcodes.text, Buffer.alloc(length))
    expect([...frame.subarray(0, header.length)]).toEqual(header)
    expect(frame).toHaveLength(header.length + length)
  })
})
