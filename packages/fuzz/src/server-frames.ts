import { Malformed } from './responses.ts'

const opcodes = new Set([0, 1, 2, 8, 9, 10])

/** Parses the frames that a server sends, as they arrive (RFC 6455 §5.2). Anything else is a fault. */
export class ServerFrames {
  /** Whether a close frame has arrived; nothing may follow it. */
  closed = false
  /** Messages whose last frame has begun. */
  messages = 0
  #head = ''
  #left = 0
  readonly #reserved: number

  /** @param compresses whether the first reserved bit may be set (RFC 7692 §6) */
  constructor(compresses: boolean) {
    this.#reserved = compresses ? 0x30 : 0x70
  }

  /** @throws Malformed */
  push(chunk: string): void {
    let rest = chunk
    while (rest !== '') {
      const skipped = Math.min(this.#left, rest.length)
      this.#left -= skipped
      rest = rest.slice(skipped)
      if (rest === '') return
      if (this.closed) throw new Malformed('bytes after a close frame')
      this.#head += rest
      rest = this.#readHead()
    }
  }

  /** @returns what follows the head; an empty string while the head is incomplete */
  #readHead(): string {
    const head = Buffer.from(this.#head.slice(0, 10), 'latin1')
    const [first = 0, second = 0] = head
    if (!opcodes.has(first & 15)) throw new Malformed(`a frame with opcode ${first & 15}`)
    if (head.length < 2) return ''
    if (second >= 128) throw new Malformed('a masked frame')
    const length = second === 127 ? 10 : second === 126 ? 4 : 2
    if (head.length < length) return ''
    this.#left = second === 127 ? Number(head.readBigUInt64BE(2)) : second === 126 ? head.readUInt16BE(2) : second
    const control = (first & 8) !== 0
    if (control && (this.#left > 125 || first < 128))
      throw new Malformed('a control frame that is too long or fragmented')
    if ((first & this.#reserved) !== 0) throw new Malformed('a frame with reserved bits')
    this.closed = (first & 15) === 8
    if (!control && first >= 128) this.messages++
    const rest = this.#head.slice(length)
    this.#head = ''
    return rest
  }
}
