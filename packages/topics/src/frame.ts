/** FIN, RSV1 and the opcodes of a first byte. RFC 6455 §5.2, RFC 7692 §7.2.3.1. */
const fin = 0x80
const rsv1 = 0x40
const text = 0x1
const binary = 0x2

/** Bytes in front of a payload of this length, in a frame without a mask. */
export const headLength = (length: number): number => (length < 126 ? 2 : length < 65_536 ? 4 : 10)

/** The same, of a frame that {@link serverFrame} has made. */
export const headLengthOf = ({ 1: length = 0 }: Uint8Array): number => (length < 126 ? 2 : length === 126 ? 4 : 10)

/** A whole message in one frame as a server sends it: head and payload in one piece of memory. RFC 6455 §5.2. */
export function serverFrame(payload: Uint8Array | string, isBinary: boolean, isCompressed: boolean): Buffer {
  const length = typeof payload === 'string' ? Buffer.byteLength(payload) : payload.length
  const start = headLength(length)
  const frame = Buffer.allocUnsafe(start + length)
  frame[0] = fin | (isCompressed ? rsv1 : 0) | (isBinary ? binary : text)
  if (start === 2) {
    frame[1] = length
  } else if (start === 4) {
    frame[1] = 126
    frame.writeUInt16BE(length, 2)
  } else {
    frame[1] = 127
    frame.writeBigUInt64BE(BigInt(length), 2)
  }
  if (typeof payload === 'string') frame.write(payload, start)
  else frame.set(payload, start)
  return frame
}
