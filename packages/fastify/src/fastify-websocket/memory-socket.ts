import { Duplex } from 'node:stream'
import { Server as TlsServer } from 'node:tls'
import type { HttpServer } from '@oneport/core'

/** Bytes that may wait until an end reads them, like the socket buffers of a kernel. */
const most = 1_048_576

/** One end of a connection in memory: data written to it is read from its peer, even after this end is destroyed. */
class MemorySocket extends Duplex {
  // Properties of a TCP socket that servers and frameworks use.
  readonly remoteAddress = '127.0.0.1'
  readonly encrypted: boolean
  readonly server: HttpServer
  /** The client negotiated no protocol, so servers with HTTP/2 use HTTP/1.1. */
  readonly alpnProtocol = false
  #peer: MemorySocket = this
  /** What this end has not received yet; null is the end. */
  readonly #underWay: (Buffer | null)[] = []
  #bytesUnderWay = 0
  /** Lets the peer continue to write. */
  #whenRead: (() => void) | undefined

  constructor(server: HttpServer) {
    super({ readableHighWaterMark: most })
    this.server = server
    this.encrypted = server instanceof TlsServer
  }

  join(peer: MemorySocket): void {
    this.#peer = peer
  }

  override _read(): void {
    const whenRead = this.#whenRead
    this.#whenRead = undefined
    whenRead?.()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    const peer = this.#peer
    if (peer.destroyed) {
      done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' }))
      return
    }
    peer.#receive(Buffer.from(chunk))
    if (peer.#bytesUnderWay + peer.readableLength < most) done()
    else peer.#whenRead = done
  }

  override _final(done: () => void): void {
    this.#peer.#receive(null)
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#peer.#receive(null)
    setImmediate(() => this._read())
    done(error)
  }

  #receive(part: Buffer | null): void {
    this.#bytesUnderWay += part?.length ?? 0
    if (this.#underWay.push(part) === 1) setImmediate(() => this.#arrive())
  }

  // As over a network, each chunk arrives in a turn of its own, so that a listener can be added between two of them.
  #arrive(): void {
    const part = this.#underWay.shift() ?? null
    this.#bytesUnderWay -= part?.length ?? 0
    if (this.#underWay.length > 0) setImmediate(() => this.#arrive())
    if (!this.destroyed) this.push(part)
  }
}

/** Creates both ends of a connection to a server. A TLS server treats it as already encrypted. */
export function memorySockets(server: HttpServer): [client: Duplex, accepted: Duplex] {
  const [client, accepted] = [new MemorySocket(server), new MemorySocket(server)]
  client.join(accepted)
  accepted.join(client)
  return [client, accepted]
}
