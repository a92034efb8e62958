import { Duplex } from 'node:stream'
import { asServer, Context } from './context.ts'
import { Line } from './line.ts'

/** The address of both ends of a connection in memory. */
export const memoryAddress = '127.0.0.1'

/**
 * Bytes that may be in flight to one end, like the socket buffers of a kernel. Without them, two ends that both write
 * before they read, as HTTP/2 sessions do, would wait for each other.
 */
const most = 1_048_576

/**
 * One end of a connection in memory. As on a network, bytes are copied, arrive in a later turn of the event loop, and
 * wait at the sender until they are read.
 *
 * It has the properties of a `net.Socket` that servers and applications use.
 */
export class MemorySocket extends Duplex {
  readonly remoteAddress: string = memoryAddress
  readonly remoteFamily: string = 'IPv4'
  readonly localAddress: string = memoryAddress
  readonly localFamily: string = 'IPv4'
  bytesRead = 0
  bytesWritten = 0
  /** The way to the peer. */
  readonly line = new Line()
  /** Data arrives in the context in which this end was created, as with a `net.Socket`. */
  readonly #context = new Context()
  #peer: MemorySocket = this
  #peerHasEnded = false
  /** Whether this end knows that the peer was destroyed. */
  #peerIsGone = false
  /** Number of bytes that the peer has not received yet. */
  #underWay = 0
  /** Called when the peer has room again. */
  #writeOn: (() => void) | undefined

  /**
   * Creates both ends. As over TCP, the client ends its side when the server does, but the server decides for itself.
   */
  static pair(): { client: MemorySocket; server: MemorySocket } {
    const client = new MemorySocket({ allowHalfOpen: false, readableHighWaterMark: most })
    const server = asServer(() => new MemorySocket({ allowHalfOpen: true, readableHighWaterMark: most }))
    client.#peer = server
    server.#peer = client
    return { client, server }
  }

  get peer(): MemorySocket {
    return this.#peer
  }

  override _read(): void {
    this.#peer.#continue()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    if (this.#peerIsGone) {
      done(failure('write', 'EPIPE'))
      return
    }
    this.bytesWritten += chunk.length
    this.#underWay += chunk.length
    const copy = Buffer.from(chunk)
    this.#send((peer) => {
      this.#underWay -= copy.length
      peer.#receive(copy)
    })
    if (this.#underWay + this.#peer.readableLength < most) done()
    else this.#writeOn = done
  }

  override _final(done: () => void): void {
    this.#send((peer) => peer.#receiveEnd())
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#send((peer) => {
      peer.#peerIsGone = true
      peer.#receiveEnd()
      peer.#continue()
    })
    done(error)
  }

  /** Destroys both ends, as a network does that resets the connection. What is under way is lost. */
  reset(): void {
    for (const end of [this, this.#peer]) {
      end.line.cut()
      end.#context.runInAsyncScope(() => end.destroy(failure('read', 'ECONNRESET')))
    }
  }

  /** Ends the connection with an error at the peer. */
  fail(error: Error): void {
    this.#send((peer) => {
      peer.destroy(error)
    })
    this.destroy()
  }

  /** Tells the peer something, in the peer's context. */
  #send(message: (peer: MemorySocket) => void): void {
    const peer = this.#peer
    this.line.carry(() => peer.#context.runInAsyncScope(message, undefined, peer))
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

  /** Like `destroySoon` of a `net.Socket`: ends this side, and destroys it when everything is written. */
  destroySoon(): void {
    this.end()
    if (this.writableFinished) this.destroy()
    else this.once('finish', () => this.destroy())
  }

  // No-ops: there is no network, and a connection in memory has no timeouts.
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

/** An error as Node reports it for a `net.Socket`. */
export const failure = (syscall: string, code: string): Error =>
  Object.assign(new Error(`${syscall} ${code}`), { code, syscall })
