/** An arbitrary mask; RFC 6455 §5.3 wants an unpredictable one, which would cost the generator and tell nothing. */
const mask = [0x37, 0xfa, 0x21, 0x3d] as const

export const opcodes = { text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa } as const

/** A whole frame as a client sends it. RFC 6455 §5.2. */
export function clientFrame(opcode: number, payload: Buffer): Buffer {
  const header = frameHeader(opcode, payload.length)
  header[1] = (header[1] as number) | 0x80
  const masked = Buffer.from(payload.map((byte, index) => byte ^ (mask[index & 3] as number)))
  return Buffer.concat([header, Buffer.from(mask), masked])
}

/** A whole frame as a server sends it. */
export function serverFrame(opcode: number, payload: Buffer): Buffer {
  return Buffer.concat([frameHeader(opcode, payload.length), payload])
}

function frameHeader(opcode: number, length: number): Buffer {
  const first = 0x80 | opcode
  if (length < 126) return Buffer.from([first, length])
  if (length < 65_536) return Buffer.from([first, 126, length >> 8, length & 0xff])
  const header = Buffer.alloc(10)
  header[0] = first
  header[1] = 127
  header.writeBigUInt64BE(BigInt(length), 2)
  return header
}
