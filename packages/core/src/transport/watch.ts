import type { Duplex } from 'node:stream'
import { forgetFlow } from '../raw-methods.ts'

/** Bytes that are kept; what a client sends beyond them has to wait. */
const mostBytes = 65_536

/** What a chunk that is kept costs beside its bytes. */
const bytesPerChunk = 256

/** Is told what becomes of a raw socket. */
export interface Watcher {
  /** It has closed. */
  closed(): void
  /** Whether somebody has written to it. */
  readonly isWritten: boolean
  /** More has come than is kept: until something is done about it, nothing more is read, and no end is noticed. */
  overflowed(): void
  /** Somebody else reads from it, and has written to it before. */
  taken(): void
}

/**
 * Reads from a raw socket while nobody else does. Without this the end of a client goes unnoticed: `end` is not emitted as
 * long as bytes are left unread.
 */
export class Watch {
  readonly #stream: Duplex
  readonly #watcher: Watcher
  /** What has come; undefined where nobody wants it any more. */
  #chunks: Buffer[] | undefined
  #cost = 0

  /** @param keeps whether what comes is kept */
  constructor(stream: Duplex, watcher: Watcher, keeps: boolean) {
    this.#stream = stream
    this.#watcher = watcher
    // In front of the response's, so that a request hears that it is aborted before its response hears that it is over,
    // as in Node.
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

  /** Whether more has come than is kept. */
  get isFull(): boolean {
    return this.#chunks !== undefined && this.#cost > mostBytes
  }

  /** What comes from now on is dropped. */
  drop(): void {
    this.#chunks = undefined
    this.#stream.off('newListener', this.#onNewListener).off('data', this.#onData).resume()
  }

  /** Leaves the stream as it was. @returns what has come */
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

  /** Node ends its side when a client has ended its own, and so do we: a WebSocket can't come of it. */
  readonly #onEnd = (): void => {
    this.#stream.end()
  }

  readonly #onClose = (): void => {
    this.#watcher.closed()
  }

  readonly #onNewListener = (event: string | symbol): void => {
    // A monitor that counts bytes only listens.
    if (event === 'data' && this.#watcher.isWritten) this.#watcher.taken()
  }
}
