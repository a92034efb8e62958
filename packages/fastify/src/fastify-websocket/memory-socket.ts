import { Duplex } from 'node:stream'
import { Server as TlsServer } from 'node:tls'
import type { HttpServer } from '@oneport/core'

/** One end of a connection in memory: data written to it is read from its peer. */
class MemorySocket extends Duplex {
  // Properties of a TCP socket that servers and frameworks use.
  readonly remoteAddress = '127.0.0.1'
  readonly encrypted: boolean
  readonly server: HttpServer
  /** The client negotiated no protocol, so servers with HTTP/2 use HTTP/1.1. */
  readonly alpnProtocol = false
  #peer: MemorySocket | undefined
  #whenRead: (() => void) | undefined

  constructor(server: HttpServer) {
    super()
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

  // As over a network, each chunk arrives in a turn of its own, so that a listener can be added between two of them.
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    setImmediate(() => this.#peer?.receive(chunk, done))
  }

  override _final(done: () => void): void {
    setImmediate(() => {
      this.#peer?.push(null)
      done()
    })
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const peer = this.#peer
    this.#peer = undefined
    setImmediate(() => peer?.destroy())
    done(error)
  }

  receive(chunk: Buffer, done: () => void): void {
    this.#whenRead = done
    this.push(chunk)
  }
}

/** Creates both ends of a connection to a server. A TLS server treats it as already encrypted. */
export function memorySockets(server: HttpServer): [client: Duplex, accepted: Duplex] {
  const [client, accepted] = [new MemorySocket(server), new MemorySocket(server)]
  client.join(accepted)
  accepted.join(client)
  return [client, accepted]
}
