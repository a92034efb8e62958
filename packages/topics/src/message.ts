import { type Deflate, deflate } from './deflate.ts'
import { expected } from './errors.ts'
import { headLength, serverFrame } from './frame.ts'

/** What can be published: text, or bytes, which are copied at once. */
export type MessageData = string | ArrayBuffer | ArrayBufferView

interface Deflated extends Pick<Deflate, 'windowBits' | 'zlibOptions'> {
  readonly frame: Buffer
}

/** One message: each form that it has on the wire is made once, for all sockets that need it. */
export class Message {
  readonly isBinary: boolean
  readonly compress: boolean
  readonly payload: Buffer
  /** Not compressed. */
  readonly frame: Buffer
  #deflated: Deflated[] | undefined

  constructor(data: MessageData, isBinary: boolean, compress: boolean) {
    this.isBinary = isBinary
    this.compress = compress
    const payload = bytesOf(data)
    this.frame = serverFrame(payload, isBinary, false)
    this.payload = this.frame.subarray(headLength(payload.length))
  }

  /** The bytes for a connection on which this was agreed. */
  frameFor(agreed: Deflate): Buffer {
    if (!this.compress || this.payload.length < agreed.thresholdBytes) return this.frame
    const { windowBits, zlibOptions } = agreed
    const found = this.#deflated?.find((made) => made.windowBits === windowBits && made.zlibOptions === zlibOptions)
    if (found !== undefined) return found.frame
    const payload = deflate(this.payload, agreed)
    // What does not become smaller may stay as it is: each message says whether it is compressed (RFC 7692 §6).
    const frame = payload.length < this.payload.length ? serverFrame(payload, this.isBinary, true) : this.frame
    this.#deflated ??= []
    this.#deflated.push({ windowBits, zlibOptions, frame })
    return frame
  }
}

function bytesOf(data: MessageData): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data)
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  if (data instanceof ArrayBuffer) return new Uint8Array(data)
  throw expected('publish', 'data as a string, a Buffer, a typed array, a DataView or an ArrayBuffer', data)
}
