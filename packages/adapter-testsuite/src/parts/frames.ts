/** Opcodes of frames (RFC 6455 §11.8). */
export const opcodes = {
  /** A further fragment of a message. */
  continuation: 0x0,
  /** The first or only fragment of a text message. */
  text: 0x1,
  /** The first or only fragment of a binary message. */
  binary: 0x2,
  /** Close. */
  close: 0x8,
  /** Ping. */
  ping: 0x9,
  /** Pong. */
  pong: 0xa
} as const

/** Settings for frames that are unusual or invalid. */
export interface FrameOptions {
  /** Whether this is the last frame of its message. @default true */
  readonly final?: boolean
  /** The three reserved bits, 0 to 7. @default 0 */
  readonly reserved?: number
  /** The length in the header, in bytes. @default that of the payload */
  readonly announced?: number
}

/** The same for frames of a client, which are masked. */
export interface ClientFrameOptions extends FrameOptions {
  /** Four bytes, or an empty array for a frame without a mask. @default zeros, which leave the payload readable */
  readonly mask?: readonly number[]
}

const zeros = [0, 0, 0, 0]

/** A complete client frame (RFC 6455 §5.2). Text is encoded as UTF-8. */
export function clientFrame(
  opcode: number,
  payload: Uint8Array | string = '',
  { mask = zeros, ...options }: ClientFrameOptions = {}
): Buffer {
  const bytes = Buffer.from(payload)
  const head = headOf(opcode, bytes.length, options)
  if (mask.length === 0) return Buffer.concat([head, bytes])
  head[1] = (head[1] as number) | 0x80
  const masked = mask === zeros ? bytes : bytes.map((byte, index) => byte ^ (mask[index & 3] as number))
  return Buffer.concat([head, Buffer.from(mask), masked])
}

/** A complete server frame. Text is encoded as UTF-8. */
export function serverFrame(opcode: number, payload: Uint8Array | string = '', options: FrameOptions = {}): Buffer {
  const bytes = Buffer.from(payload)
  return Buffer.concat([headOf(opcode, bytes.length, options), bytes])
}

function headOf(opcode: number, length: number, options: FrameOptions): Buffer {
  const { final = true, reserved = 0, announced = length } = options
  const first = (final ? 0x80 : 0) | (reserved << 4) | opcode
  if (announced < 126) return Buffer.from([first, announced])
  if (announced < 65_536) return Buffer.from([first, 126, announced >> 8, announced & 0xff])
  const head = Buffer.alloc(10)
  head[0] = first
  head[1] = 127
  head.writeBigUInt64BE(BigInt(announced), 2)
  return head
}

/** A text frame from a client. */
export const maskedText = (text: string): Buffer => clientFrame(opcodes.text, text)

/** A text frame from a server, in latin1. */
export const serverText = (text: string): string => serverFrame(opcodes.text, text).toString('latin1')

/** The code of a close frame at the end of `text`, which is latin1. The frame's reason is `reasonBytes` long. */
export const closeCodeIn = (text: string, reasonBytes = 0): number =>
  Buffer.from(text, 'latin1').readUInt16BE(text.length - reasonBytes - 2)
