import { opcodes } from '@oneport/adapter-testsuite/parts'

const longestHead = 10

/** Counts the messages that a server sends, one frame each, however the bytes are split. RFC 6455 §5.2. */
export class FrameCounter {
  /** Number of complete messages. */
  messages = 0
  /** Whether a close frame has arrived. */
  isClosed = false
  /** Bytes of an incomplete header. */
  #head: Buffer = Buffer.alloc(0)
  /** Bytes missing from a payload. */
  #left = 0
  #opcode = 0

  take(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      const skipped = Math.min(this.#left, chunk.length - at)
      this.#left -= skipped
      at += skipped
      if (skipped > 0 && this.#left === 0) this.#end()
      if (at === chunk.length) return
      const next = chunk.subarray(at, at + longestHead)
      const head = this.#head.length === 0 ? next : Buffer.concat([this.#head, next])
      const length = headLength(head)
      if (head.length < length) {
        this.#head = Buffer.from(head)
        return
      }
      at += length - this.#head.length
      this.#head = Buffer.alloc(0)
      this.#left = payloadLength(head)
      this.#opcode = (head[0] as number) & 0x0f
      if (this.#left === 0) this.#end()
    }
  }

  #end(): void {
    if (this.#opcode <= opcodes.binary) this.messages++
    if (this.#opcode === opcodes.close) this.isClosed = true
  }
}

export function headLength(head: Buffer): number {
  if (head.length < 2 || (head[1] as number) < 126) return 2
  return head[1] === 126 ? 4 : longestHead
}

export function payloadLength(head: Buffer): number {
  const length = head[1] as number
  if (length < 126) return length
  return length === 126 ? head.readUInt16BE(2) : Number(head.readBigUInt64BE(2))
}
