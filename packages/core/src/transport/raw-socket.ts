import type { Duplex } from 'node:stream'
import type { Connections, UnderWay } from '../life/connections.ts'
import type { Deadlines, Due } from '../life/deadlines.ts'
import { bytesTaken } from '../node.ts'
import { Watch } from './watch.ts'

/** A raw socket, with what only some kinds of streams have. */
export interface BusySocket extends Duplex {
  setTimeout?(ms: number): unknown
  readonly timeout?: number | undefined
  readonly bytesWritten?: number
}

/** The current user of a raw socket. Its owner tells it what happens to the socket. */
export interface Tenant {
  /** The `key` that the handshake was accepted with, if any. */
  readonly key: string | undefined
  /** Identifies the client in counts per address; undefined until it is known. */
  readonly clientKey: string | undefined
  /** Called when the raw socket has closed. */
  closed(): void
  /** Called when the time is up. @returns whether to wait for the same time again */
  expire(): boolean
  /** Called when a route has taken the raw socket itself. */
  taken(): void
  /** Called when the credential that the handshake was accepted with is revoked. */
  revoke(code: number, reason: string): void
}

/**
 * A client that reads an answer more slowly than this is cut, in bytes per second: the minimum rate of Kestrel and IIS.
 */
const leastRate = 240

/**
 * Slow periods in a row before a client is cut. The system takes more data only after megabytes have left its own
 * buffer, so even a client that reads all the time seems to pause. With the default period of 10 s this is one minute,
 * like nginx's `send_timeout`.
 */
const mostStalls = 6

/**
 * The owner of a raw socket from the `upgrade` event until a WebSocket opens on it, Node's parser or another listener
 * gets it back, or it closes. Whoever the tenant is, the owner notices when the client leaves, and can end the socket.
 */
export class RawSocket implements UnderWay {
  due: number | undefined
  inFront: Due | undefined
  behind: Due | undefined
  /** What we read and write: a TCP or TLS socket, an HTTP/2 stream, or our view of a socket that others hold too. */
  readonly stream: BusySocket
  readonly #raw: BusySocket
  #connections: Connections
  #tenant: Tenant | undefined
  #list: Deadlines<UnderWay> | undefined
  /** Bytes that arrived together with the head of the request, after it. */
  #input: Buffer | undefined
  #watch: Watch | undefined
  #bytesTaken = 0
  #stalls = 0
  readonly #bytesBefore: number | undefined
  /** Whether the dispatch has returned. Nothing can arrive while it runs, so watching starts after it. */
  #isDispatched = false

  /** @param raw the socket that Node handed over, if `stream` is a view of it */
  constructor(stream: BusySocket, head: Buffer | undefined, connections: Connections, raw = stream) {
    this.stream = stream
    this.#raw = raw
    this.#bytesBefore = stream.bytesWritten
    this.#input = head === undefined || head.length === 0 ? undefined : head
    this.#connections = connections
  }

  get key(): string | undefined {
    return this.#tenant?.key
  }

  /**
   * Whether anything has been written since `upgrade`. If no response has, a route has upgraded the connection itself.
   */
  get isWritten(): boolean {
    return this.stream.bytesWritten !== this.#bytesBefore
  }

  get clientKey(): string | undefined {
    return this.#tenant?.clientKey
  }

  /** Gives the socket to a tenant and puts it on one of the lists of waiting handshakes. */
  rent(tenant: Tenant, connections: Connections, since: number, name: 'queued' | 'pending' = 'pending'): void {
    const list = connections[name]
    this.#tenant = tenant
    this.leaveList()
    this.#connections = connections
    this.#list = list
    list.add(this, since)
    connections.enter()
  }

  /** Moves it to another list of its attachment. */
  moveTo(name: 'kept' | 'answering' | 'lingering'): void {
    const list = this.#connections[name]
    if (list === this.#list) return
    this.leaveList()
    this.#list = list
    list.add(this, performance.now())
    if (name === 'answering') this.#bytesTaken = bytesTaken(this.#raw)
    if (name === 'lingering') this.#connections.leave()
  }

  /** Starts to watch for the client to leave. `keeps` says whether to keep what it sends meanwhile. */
  watch({ keeps }: { readonly keeps: boolean }): void {
    if (this.#watch !== undefined) {
      if (!keeps) this.#watch.drop()
    } else if (this.stream.listenerCount('data') > 0 && this.isWritten) {
      this.taken()
    } else {
      this.#watch = new Watch(this.stream, this, keeps)
    }
  }

  /** Called by the watch when the client has left; for HTTP/2, which needs no watch, when the stream closes. */
  closed(): void {
    const tenant = this.#tenant
    this.#tenant = undefined
    this.leave()
    tenant?.closed()
  }

  /** RFC 6455 §4.1: a client must not send any data before it gets the 101. */
  overflowed(): void {
    if (this.#isDispatched) this.destroy()
  }

  taken(): void {
    const tenant = this.#tenant
    const unused = this.release()
    if (unused !== undefined) this.stream.unshift(unused)
    tenant?.taken()
  }

  revoke(code: number, reason: string): void {
    this.#tenant?.revoke(code, reason)
  }

  expire(): boolean {
    const list = this.#list
    if (list === this.#connections.lingering) {
      this.stream.destroy()
      return false
    }
    const again = this.#tenant?.expire() === true
    if (this.#list !== list) return false
    if (!again) this.leave()
    return again
  }

  /**
   * Whether the client has read enough of an answer in one of the last periods. If no data is waiting for the client,
   * it is the application that is slow.
   */
  hasMoved(): boolean {
    if (this.stream.writableLength === 0) return true
    const taken = bytesTaken(this.#raw)
    const moved = taken - this.#bytesTaken
    this.#bytesTaken = taken
    const isMoving = moved >= (leastRate * this.#connections.answering.timeoutMs) / 1_000
    this.#stalls = isMoving ? 0 : this.#stalls + 1
    return this.#stalls < mostStalls
  }

  /**
   * Ends our side, and gives the client time to read the answer: data that arrives at a closed TCP socket makes the
   * kernel send a reset, which can destroy an answer that is still on its way (RFC 9112 §9.6).
   */
  linger(): void {
    if (this.stream.destroyed) return
    this.#tenant = undefined
    this.watch({ keeps: false })
    this.moveTo('lingering')
    if (!this.stream.writableEnded) this.stream.end()
  }

  /** Called when an answer other than 101 has begun. Whatever the client still sends is dropped. */
  answer(): void {
    this.moveTo('answering')
    if (this.#isDispatched) this.watch({ keeps: false })
  }

  /** Called when the dispatch has returned and nothing is accepted yet: from here on the client may leave. */
  dispatched(): void {
    this.#isDispatched = true
    this.watch({ keeps: this.#list === this.#connections.pending || this.#list === this.#connections.kept })
    if (this.#watch?.isFull === true) this.overflowed()
  }

  /** Takes it off its list: it is no longer a handshake under way. */
  leave(): void {
    this.leaveList()
    this.#connections.leave()
  }

  /** Gives the socket up, as it was. @returns bytes received after the head, if any */
  release(): Buffer | undefined {
    this.#tenant = undefined
    this.leave()
    return this.takeInput()
  }

  /** Stops watching. @returns bytes received after the head, if any */
  takeInput(): Buffer | undefined {
    const chunks = this.takeRead()
    const input = this.#input
    this.#input = undefined
    if (chunks.length === 0) return input
    return Buffer.concat(input === undefined ? chunks : [input, ...chunks])
  }

  /** Stops watching. @returns what was read meanwhile, without the bytes that arrived with the head */
  takeRead(): readonly Buffer[] {
    const chunks = this.#watch?.stop() ?? []
    this.#watch = undefined
    return chunks
  }

  destroy(): void {
    this.stream.destroy()
  }

  leaveList(): void {
    this.#list?.delete(this)
    this.#list = undefined
  }
}
