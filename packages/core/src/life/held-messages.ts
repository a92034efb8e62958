import type { Due } from './deadlines.ts'

/** Memory that messages without a listener may take before parsing stops, in bytes. Until then, pings are answered. */
const mostBytes = 65_536

/**
 * What a waiting message costs in addition to its payload, in bytes: the Buffer, the arguments, the entry in the list.
 * Measured with 300 000 messages of one byte (Node 20.20): 170 bytes of heap, 270 to 300 bytes of resident memory.
 */
const bytesPerMessage = 256

/** Messages that have had no listener yet. */
export class HeldMessages implements Due {
  due: number | undefined
  inFront: Due | undefined
  behind: Due | undefined
  /** The arguments of `close`, which is emitted after the messages. */
  closing: unknown[] | undefined
  /** Whether the messages are being delivered. */
  isDelivering = false
  /** Our `newListener` listener, which notices a `message` listener. */
  onNewListener: (event: string | symbol) => void = () => {}
  /** Called when the messages have waited too long. */
  readonly #giveUp: () => void
  readonly #messages: unknown[][] = []
  #next = 0
  #bytes = 0

  constructor(giveUp: () => void) {
    this.#giveUp = giveUp
  }

  get isFull(): boolean {
    return this.#bytes > mostBytes
  }

  get isEmpty(): boolean {
    return this.#next === this.#messages.length
  }

  /** @param args the arguments of the `message` event */
  add(args: unknown[]): void {
    this.#messages.push(args)
    this.#bytes += costOf(args)
  }

  /** Removes and returns the oldest message; undefined if there is none. */
  take(): unknown[] | undefined {
    const args = this.#messages[this.#next]
    if (args === undefined) return undefined
    this.#messages[this.#next++] = []
    this.#bytes -= costOf(args)
    return args
  }

  expire(): boolean {
    this.#giveUp()
    return false
  }
}

const costOf = ([data]: unknown[]): number => bytesPerMessage + sizeOf(data)

/** A message is a Buffer or, depending on `binaryType`, an ArrayBuffer, a Blob, or a list of Buffers. */
function sizeOf(data: unknown): number {
  if (Array.isArray(data)) return data.reduce((sum, part) => sum + bytesPerMessage + sizeOf(part), 0)
  const { byteLength, size } = data as { byteLength?: number; size?: number }
  return byteLength ?? size ?? 0
}
