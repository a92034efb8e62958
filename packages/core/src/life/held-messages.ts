import type { Due } from './deadlines.ts'

/** Memory that waits for a listener, in bytes, before nothing more is parsed. Pings get through until then. */
const mostBytes = 65_536

/**
 * What a message that waits costs beside its payload: the Buffer, the arguments, their place in the list. Measured with
 * 300 000 of one byte (Node 20.20): 170 bytes of heap, 270 to 300 of resident memory.
 */
const bytesPerMessage = 256

/** Messages that nobody has listened for yet. */
export class HeldMessages implements Due {
  due: number | undefined
  inFront: Due | undefined
  behind: Due | undefined
  /** What the event `close` has for listeners, once they have what came before it. */
  closing: unknown[] | undefined
  /** Whether they are being delivered. */
  isDelivering = false
  /** The listener that waits for the one they wait for. */
  onNewListener: (event: string | symbol) => void = () => {}
  /** Called when they have waited for too long. */
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

  /** @param args those of the event */
  add(args: unknown[]): void {
    this.#messages.push(args)
    this.#bytes += costOf(args)
  }

  /** The oldest one; undefined where there is none. */
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

/** A message is one Buffer, or with another `binaryType` an ArrayBuffer, a Blob, or a list of Buffers. */
function sizeOf(data: unknown): number {
  if (Array.isArray(data)) return data.reduce((sum, part) => sum + bytesPerMessage + sizeOf(part), 0)
  const { byteLength, size } = data as { byteLength?: number; size?: number }
  return byteLength ?? size ?? 0
}
