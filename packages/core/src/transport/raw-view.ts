import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { forgetFlow, methodOf } from '../raw-methods.ts'
import { ignoreError } from './events.ts'

/** A stream, with what a socket adds to it. */
type Raw = Duplex &
  Partial<
    Pick<
      Socket,
      'bytesRead' | 'bytesWritten' | 'remoteAddress' | 'remotePort' | 'remoteFamily' | 'localAddress' | 'localPort'
    >
  > & {
    encrypted?: true
    setNoDelay?(noDelay?: boolean): unknown
    setKeepAlive?(enable?: boolean, initialDelay?: number): unknown
  }

type Callback = (error?: Error | null) => void

/**
 * Our own view of a raw socket that others hold too. It calls the methods of the raw socket's class, so methods that
 * are overridden on the raw socket itself affect only the others.
 */
export class RawView extends Duplex {
  readonly #raw: Raw
  #reads = false
  #isDetached = false

  /** How many views are stacked: a request that is given back to Node's parser is read through one. */
  readonly depth: number

  constructor(raw: Raw) {
    super({ allowHalfOpen: true, readableHighWaterMark: raw.readableHighWaterMark })
    this.#raw = raw
    this.depth = raw instanceof RawView ? raw.depth + 1 : 1
    this.on('error', ignoreError)
    raw.on('end', this.#onEnd).on('error', this.#onError).on('close', this.#onClose)
  }

  // What `ws`, the heartbeat and frameworks use of a socket.

  get bytesRead(): number {
    return this.#raw.bytesRead ?? 0
  }

  get bytesWritten(): number {
    return this.#raw.bytesWritten ?? 0
  }

  get remoteAddress(): string | undefined {
    return this.#raw.remoteAddress
  }

  get remotePort(): number | undefined {
    return this.#raw.remotePort
  }

  get remoteFamily(): string | undefined {
    return this.#raw.remoteFamily
  }

  get localAddress(): string | undefined {
    return this.#raw.localAddress
  }

  get localPort(): number | undefined {
    return this.#raw.localPort
  }

  /** True on a TLS connection. */
  get encrypted(): true | undefined {
    return (this.#raw as { encrypted?: true }).encrypted
  }

  setNoDelay(noDelay?: boolean): this {
    this.#raw.setNoDelay?.(noDelay)
    return this
  }

  setKeepAlive(enable?: boolean, initialDelay?: number): this {
    this.#raw.setKeepAlive?.(enable, initialDelay)
    return this
  }

  setTimeout(ms: number, listener?: () => void): this {
    const { setTimeout } = Object.getPrototypeOf(this.#raw) as Partial<Socket>
    if (setTimeout !== undefined) Reflect.apply(setTimeout, this.#raw, [ms])
    this.#raw.off('timeout', this.#onTimeout)
    if (ms > 0) this.#raw.on('timeout', this.#onTimeout)
    if (listener !== undefined) this.once('timeout', listener)
    return this
  }

  destroySoon(): void {
    if (this.writable) this.end()
    if (this.writableFinished) this.destroy()
    else this.once('finish', () => this.destroy())
  }

  /** Removes the others' data listeners, so that they receive nothing from now on. */
  seal(): void {
    const raw = this.#raw
    raw.unpipe()
    for (const event of ['data', 'readable']) {
      for (const listener of raw.listeners(event)) if (listener !== this.#onData) raw.off(event, listener as () => void)
    }
    if (this.#reads) process.nextTick(() => this.#call('resume'))
  }

  /** Leaves the raw socket to others, as it was. @returns bytes that were read but not used */
  detach(): Buffer {
    this.#isDetached = true
    const raw = this.#raw
    raw.off('data', this.#onData).off('end', this.#onEnd).off('error', this.#onError).off('close', this.#onClose)
    raw.off('timeout', this.#onTimeout)
    if (this.#reads) forgetFlow(raw)
    const unused: Buffer = this.read() ?? Buffer.alloc(0)
    this.destroy()
    return unused
  }

  /** Reads only on demand, because another listener may take the raw socket. */
  override _read(): void {
    if (this.#isDetached) return
    if (!this.#reads) Reflect.apply(methodOf(this.#raw, 'on'), this.#raw, ['data', this.#onData])
    this.#reads = true
    this.#call('resume')
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, callback: Callback): void {
    Reflect.apply(methodOf(this.#raw, 'write'), this.#raw, [chunk, encoding, callback])
  }

  override _writev(chunks: { chunk: Buffer; encoding: BufferEncoding }[], callback: Callback): void {
    const last = chunks.length - 1
    this.#call('cork')
    for (const [index, { chunk, encoding }] of chunks.entries()) {
      Reflect.apply(
        methodOf(this.#raw, 'write'),
        this.#raw,
        index === last ? [chunk, encoding, callback] : [chunk, encoding]
      )
    }
    this.#call('uncork')
  }

  override _final(callback: Callback): void {
    Reflect.apply(methodOf(this.#raw, 'end'), this.#raw, [callback])
  }

  override _destroy(error: Error | null, callback: Callback): void {
    const raw = this.#raw
    if (this.#isDetached || raw.closed) {
      callback(error)
      return
    }
    raw.off('close', this.#onClose).once('close', () => callback(error))
    if (!raw.destroyed) Reflect.apply(methodOf(raw, 'destroy'), raw, [error ?? undefined])
  }

  readonly #onData = (chunk: Buffer): void => {
    if (!this.push(chunk)) this.#call('pause')
  }

  readonly #onEnd = (): void => {
    this.push(null)
  }

  readonly #onTimeout = (): void => {
    this.emit('timeout')
  }

  readonly #onError = (error: Error): void => {
    this.destroy(error)
  }

  readonly #onClose = (): void => {
    this.destroy()
  }

  #call(name: 'pause' | 'resume' | 'cork' | 'uncork'): void {
    Reflect.apply(methodOf(this.#raw, name), this.#raw, [])
  }
}
