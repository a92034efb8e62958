import { type Deflate, deflate } from './deflate.ts'
import { expected } from './errors.ts'
import { headLengthOf, serverFrame } from './frame.ts'

/** Data that can be published: text, or bytes, which are copied at once. */
export type MessageData = string | ArrayBuffer | ArrayBufferView

interface Deflated extends Pick<Deflate, 'windowBits' | 'zlibOptions'> {
  frame: Buffer
}

/** A message that encodes each of its frames once, for all sockets that need it. */
export class Message {
  readonly isBinary: boolean
  readonly compress: boolean
  #frame: Buffer
  #deflated: Deflated[] | undefined
  #isKept = false

  /** @param lead text in front of the data */
  constructor(data: MessageData, isBinary: boolean, compress: boolean, lead = '') {
    this.isBinary = isBinary
    this.compress = compress
    this.#frame = serverFrame(typeof data === 'string' ? data : bytesOf(data), isBinary, false, lead)
  }

  /** A new view each time: storing it would cost 100 bytes for each waiting message. */
  get payload(): Buffer {
    return this.#frame.subarray(headLengthOf(this.#frame))
  }

  get #payloadLength(): number {
    return this.#frame.length - headLengthOf(this.#frame)
  }

  /** The uncompressed frame. */
  get frame(): Buffer {
    return this.#frame
  }

  /**
   * Moves it to memory of its own, because it will wait. Small Buffers share pools of 8 KiB, and one that waits would
   * keep its whole pool in memory. https://nodejs.org/api/buffer.html#class-property-bufferpoolsize
   */
  keep(): void {
    if (this.#isKept) return
    this.#isKept = true
    const before = this.#frame
    this.#frame = ownMemory(before)
    for (const made of this.#deflated ?? []) made.frame = made.frame === before ? this.#frame : ownMemory(made.frame)
  }

  /** The frame for connections with these parameters. */
  frameFor(agreed: Deflate): Buffer {
    if (!this.compress || this.#payloadLength < agreed.thresholdBytes) return this.frame
    const { windowBits, zlibOptions } = agreed
    const found = this.#deflated?.find((made) => made.windowBits === windowBits && made.zlibOptions === zlibOptions)
    if (found !== undefined) return found.frame
    const payload = deflate(this.payload, agreed)
    // Sent uncompressed if compressing does not make it smaller: each message has its own flag (RFC 7692 §6).
    const made = payload.length < this.#payloadLength ? serverFrame(payload, this.isBinary, true) : this.frame
    const frame = this.#isKept ? ownMemory(made) : made
    this.#deflated ??= []
    this.#deflated.push({ windowBits, zlibOptions, frame })
    return frame
  }
}

function ownMemory(bytes: Buffer): Buffer {
  if (bytes.buffer.byteLength === bytes.length) return bytes
  const copy = Buffer.allocUnsafeSlow(bytes.length)
  copy.set(bytes)
  return copy
}

function bytesOf(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  if (data instanceof ArrayBuffer) return new Uint8Array(data)
  throw expected('publish: data', 'a string, a Buffer, a typed array, a DataView or an ArrayBuffer', data)
}
