import { headLength, payloadLength } from './frame-counter.ts'

/** Reads the unmasked frames that a server sends, however the bytes are split. RFC 6455 §5.2. */
export class FrameReader {
  readonly #take: (opcode: number, payload: Buffer) => void
  /** Bytes of an incomplete frame. */
  #rest: Buffer | undefined

  /** @param take gets each frame; the payload is valid only during the call */
  constructor(take: (opcode: number, payload: Buffer) => void) {
    this.#take = take
  }

  read(chunk: Buffer): void {
    let bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk])
    while (isWhole(bytes)) {
      const start = headLength(bytes)
      const end = start + payloadLength(bytes)
      this.#take((bytes[0] as number) & 0x0f, bytes.subarray(start, end))
      bytes = bytes.subarray(end)
    }
    // A copy, because the chunk is valid only during the call.
    this.#rest = bytes.length === 0 ? undefined : Buffer.from(bytes)
  }
}

function isWhole(bytes: Buffer): boolean {
  if (bytes.length < 2 || bytes.length < headLength(bytes)) return false
  return bytes.length >= headLength(bytes) + payloadLength(bytes)
}
