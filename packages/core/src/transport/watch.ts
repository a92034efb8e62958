import type { Duplex } from 'node:stream'
import { forgetFlow } from '../raw-methods.ts'

/** How much is kept, in bytes. If the client sends more, reading stops. */
const mostBytes = 65_536

/** What a kept chunk costs in addition to its bytes. */
const bytesPerChunk = 256

/** Is told what happens to a raw socket. */
export interface Watcher {
  /** Called when the socket has closed. */
  closed(): void
  /** Whether anything has been written to the socket. */
  readonly isWritten: boolean
  /** Called when more was received than is kept. Reading has stopped, so the client's leaving would go unnoticed. */
  overflowed(): void
  /** Called when someone else starts to read, after something was written. */
  taken(): void
}

/**
 * Reads from a raw socket while nothing else does. Otherwise a client that leaves would go unnoticed: a stream does not
 * emit `end` while it has unread data.
 */
export class Watch {
  readonly #stream: Duplex
  readonly #watcher: Watcher
  /** What was received; undefined if it is not kept. */
  #chunks: Buffer[] | undefined
  #cost = 0

  /** @param keeps whether to keep what is received */
  constructor(stream: Duplex, watcher: Watcher, keeps: boolean) {
    this.#stream = stream
    this.#watcher = watcher
    // Before the listener of the response, so that the request emits `aborted` before the response emits `close`, as in
    // Node.
    stream.prependListener('close', this.#onClose)
    if (stream.readableEnded) this.#onEnd()
    else stream.on('end', this.#onEnd)
    if (!keeps) {
      stream.resume()
      return
    }
    this.#chunks = []
    stream.on('data', this.#onData)
    stream.on('newListener', this.#onNewListener)
  }

  /** Whether more was received than is kept. */
  get isFull(): boolean {
    return this.#chunks !== undefined && this.#cost > mostBytes
  }

  /** Drops what was received, and what will be. */
  drop(): void {
    this.#chunks = undefined
    this.#stream.off('newListener', this.#onNewListener).off('data', this.#onData).resume()
  }

  /** Stops, and leaves the stream as it was. @returns what was received */
  stop(): readonly Buffer[] {
    const stream = this.#stream
    stream.off('newListener', this.#onNewListener).off('data', this.#onData)
    stream.off('end', this.#onEnd).off('close', this.#onClose)
    forgetFlow(stream)
    return this.#chunks ?? []
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#chunks?.push(chunk)
    this.#cost += chunk.length + bytesPerChunk
    if (!this.isFull) return
    this.#stream.pause()
    this.#watcher.overflowed()
  }

  /** Like Node, ends our side when the client has ended its own: this cannot become a WebSocket. */
  readonly #onEnd = (): void => {
    // A second `end()` makes Node create an error with a stack.
    if (!this.#stream.writableEnded) this.#stream.end()
  }

  readonly #onClose = (): void => {
    this.#watcher.closed()
  }

  readonly #onNewListener = (event: string | symbol): void => {
    // Monitors that count bytes add listeners too, but write nothing.
    if (event === 'data' && this.#watcher.isWritten) this.#watcher.taken()
  }
}
