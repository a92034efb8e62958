import { Duplex } from 'node:stream'
import { setImmediate } from './clock.ts'
import { asServer, Context } from './context.ts'

/** The address at both ends of a connection in memory. */
export const memoryAddress = '127.0.0.1'

/**
 * Bytes that may be under way to one end, as the buffers of a kernel hold them. Two ends that both write before they read
 * on, as sessions of HTTP/2 do, would otherwise wait for each other.
 */
const most = 1_048_576

/**
 * One end of a connection in memory. As over a network, bytes are copied, arrive in a later turn of the event loop, and
 * wait at the sender while nobody reads them.
 *
 * Servers and applications ask a raw socket for more than a Duplex has; what they ask for is here.
 */
export class MemorySocket extends Duplex {
  readonly remoteAddress: string = memoryAddress
  readonly remoteFamily: string = 'IPv4'
  readonly localAddress: string = memoryAddress
  readonly localFamily: string = 'IPv4'
  bytesRead = 0
  bytesWritten = 0
  /** What arrives does so in the context in which this end was made, as with a socket of the system. */
  readonly #context = new Context()
  #peer: MemorySocket = this
  #peerHasEnded = false
  /** Bytes that the peer has not received yet. */
  #underWay = 0
  /** Lets this end write on, once the peer has room. */
  #writeOn: (() => void) | undefined

  /** Makes both ends. A client ends its side when the server has; a server decides that by itself, as on TCP. */
  static pair(): { client: MemorySocket; server: MemorySocket } {
    const client = new MemorySocket({ allowHalfOpen: false, readableHighWaterMark: most })
    const server = asServer(() => new MemorySocket({ allowHalfOpen: true, readableHighWaterMark: most }))
    client.#peer = server
    server.#peer = client
    return { client, server }
  }

  override _read(): void {
    this.#peer.#continue()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    if (this.#peer.destroyed) {
      done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' }))
      return
    }
    this.bytesWritten += chunk.length
    this.#underWay += chunk.length
    const copy = Buffer.from(chunk)
    this.#peer.#soon((peer) => {
      this.#underWay -= copy.length
      peer.#receive(copy)
    })
    if (this.#underWay + this.#peer.readableLength < most) done()
    else this.#writeOn = done
  }

  override _final(done: () => void): void {
    this.#peer.#soon((peer) => peer.#receiveEnd())
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#peer.#soon((peer) => {
      peer.#receiveEnd()
      peer.#continue()
    })
    done(error)
  }

  /** In a later turn of the event loop. */
  #soon(work: (self: this) => void): void {
    this.#context.runInAsyncScope(setImmediate, undefined, () => work(this))
  }

  #continue(): void {
    const writeOn = this.#writeOn
    this.#writeOn = undefined
    if (writeOn !== undefined) this.#context.runInAsyncScope(writeOn)
  }

  #receive(chunk: Buffer): void {
    if (this.destroyed) return
    this.bytesRead += chunk.length
    this.push(chunk)
  }

  #receiveEnd(): void {
    if (this.#peerHasEnded || this.destroyed) return
    this.#peerHasEnded = true
    this.push(null)
  }

  /** As a `net.Socket` has it: ends this side, and is gone when that is written. */
  destroySoon(): void {
    this.end()
    if (this.writableFinished) this.destroy()
    else this.once('finish', () => this.destroy())
  }

  // Nothing to set: there is no network below, and a connection in memory has no timeouts of its own.
  setTimeout(): this {
    return this
  }

  setNoDelay(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  address(): { address: string; family: string } {
    return { address: this.localAddress, family: this.localFamily }
  }
}
