/** FIN, RSV1 and the opcodes in the first byte. RFC 6455 §5.2, RFC 7692 §7.2.3.1. */
const fin = 0x80
const rsv1 = 0x40
const text = 0x1
const binary = 0x2

/** Length of the header of an unmasked frame, given the length of its payload. */
export const headLength = (length: number): number => (length < 126 ? 2 : length < 65_536 ? 4 : 10)

/** Length of the header of a frame made by {@link serverFrame}. */
export const headLengthOf = ({ 1: length = 0 }: Uint8Array): number => (length < 126 ? 2 : length === 126 ? 4 : 10)

/**
 * A message as one unmasked frame, with header and payload in one Buffer. RFC 6455 §5.2.
 * @param lead text in front of the payload
 */
export function serverFrame(payload: Uint8Array | string, isBinary: boolean, isCompressed: boolean, lead = ''): Buffer {
  const leadLength = lead === '' ? 0 : Buffer.byteLength(lead)
  const length = leadLength + (typeof payload === 'string' ? Buffer.byteLength(payload) : payload.length)
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
  if (leadLength > 0) frame.write(lead, start)
  if (typeof payload === 'string') frame.write(payload, start + leadLength)
  else frame.set(payload, start + leadLength)
  return frame
}
