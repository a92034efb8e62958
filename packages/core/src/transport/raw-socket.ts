import type { Duplex } from 'node:stream'
import type { Connections, UnderWay } from '../life/connections.ts'
import type { Deadlines, Due } from '../life/deadlines.ts'
import { bytesTaken } from '../node.ts'
import { Watch } from './watch.ts'

/** A raw socket. */
export interface BusySocket extends Duplex {
  setTimeout?(ms: number): unknown
  readonly timeout?: number | undefined
  readonly bytesWritten?: number
}

/** What has a raw socket for the time being, and hears what becomes of it. */
export interface Tenant {
  /** The key that it was accepted with; undefined where there is none. */
  readonly key: string | undefined
  /** What its client is counted by; undefined as long as nobody knows. */
  readonly clientKey: string | undefined
  /** The raw socket has closed. */
  closed(): void
  /** Its time is up. @returns whether it gets the same time once more */
  expire(): boolean
  /** A route has taken the raw socket by itself. */
  taken(): void
  /** The credential that it was accepted with has been revoked. */
  revoke(code: number, reason: string): void
}

/** A client that takes less of an answer than this is cut, in bytes a second: the rate of Kestrel and IIS. */
const leastRate = 240

/**
 * So many periods in a row. The system takes more only when megabytes have left its own buffer, so that a client which reads
 * all the time seems to stand still between: with the default of 10 s this is the minute that nginx's `send_timeout` has.
 */
const mostStalls = 6

/**
 * The owner of a raw socket from the `upgrade` event on, until a WebSocket opens on it, Node's parser or another listener
 * gets it back, or it has closed. It knows how to notice that the client leaves, and how to end it, whoever its tenant is.
 */
export class RawSocket implements UnderWay {
  due: number | undefined
  inFront: Due | undefined
  behind: Due | undefined
  /** What is read from and written to: TCP, TLS, a stream of HTTP/2, or our view of one that others hold too. */
  readonly stream: BusySocket
  readonly #raw: BusySocket
  #connections: Connections
  #tenant: Tenant | undefined
  #list: Deadlines<UnderWay> | undefined
  /** Bytes that have come behind the head of the request. */
  #input: Buffer | undefined
  #watch: Watch | undefined
  #bytesTaken = 0
  #stalls = 0
  readonly #bytesBefore: number | undefined
  /** Whether it is watched: while the application is asked, nothing can come. */
  #isDispatched = false

  /** @param raw what Node handed over, where `stream` is a view of it */
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

  /** Whether something has been written since it came: where no response has, a route has upgraded it by itself. */
  get isWritten(): boolean {
    return this.stream.bytesWritten !== this.#bytesBefore
  }

  get clientKey(): string | undefined {
    return this.#tenant?.clientKey
  }

  /** Gives it to a tenant, on one of the lists of those that wait. */
  rent(tenant: Tenant, connections: Connections, since: number, name: 'queued' | 'pending' = 'pending'): void {
    const list = connections[name]
    this.#tenant = tenant
    this.leaveList()
    this.#connections = connections
    this.#list = list
    list.add(this, since)
    connections.enter()
  }

  /** Puts it on another list of its attachment. */
  moveTo(name: 'kept' | 'answering' | 'lingering'): void {
    const list = this.#connections[name]
    if (list === this.#list) return
    this.leaveList()
    this.#list = list
    this.#bytesTaken = bytesTaken(this.#raw)
    list.add(this, performance.now())
    if (name === 'lingering') this.#connections.leave()
  }

  /** Notices from now on that the client leaves. */
  watch({ keeps }: { readonly keeps: boolean }): void {
    if (this.#watch !== undefined) {
      if (!keeps) this.#watch.drop()
    } else if (this.stream.listenerCount('data') > 0 && this.isWritten) {
      this.taken()
    } else {
      this.#watch = new Watch(this.stream, this, keeps)
    }
  }

  /** Called where the stream tells by itself that the client has left: HTTP/2. */
  closed(): void {
    const tenant = this.#tenant
    this.#tenant = undefined
    this.leave()
    tenant?.closed()
  }

  /** RFC 6455 §4.1: in front of its 101 a client must not send a byte. */
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
   * Whether the client has taken enough of an answer in one of the last periods; where nothing waits for it, it is the
   * application that takes its time.
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
   * Ends it after the client has read its answer: bytes that arrive at a closed TCP socket make the kernel answer with a
   * reset, which can destroy the answer on its way (RFC 9112 §9.6).
   */
  linger(): void {
    if (this.stream.destroyed) return
    this.#tenant = undefined
    this.watch({ keeps: false })
    this.moveTo('lingering')
    this.stream.end()
  }

  /** An answer has begun, another than 101: what the client may still send is of no use. */
  answer(): void {
    this.moveTo('answering')
    if (this.#isDispatched) this.watch({ keeps: false })
  }

  /** The application has been asked, and has not accepted yet: from now on the client may leave. */
  dispatched(): void {
    this.#isDispatched = true
    this.watch({ keeps: this.#list === this.#connections.pending || this.#list === this.#connections.kept })
    if (this.#watch?.isFull === true) this.overflowed()
  }

  /** Takes it off the lists: its way as a handshake is over. */
  leave(): void {
    this.leaveList()
    this.#connections.leave()
  }

  /** Gives it out of hand, as it was. @returns bytes that have come behind the head; undefined where none did */
  release(): Buffer | undefined {
    this.#tenant = undefined
    this.leave()
    return this.takeInput()
  }

  /** Stops watching. @returns bytes that have come behind the head; undefined where none did */
  takeInput(): Buffer | undefined {
    const chunks = this.takeRead()
    const input = this.#input
    this.#input = undefined
    if (chunks.length === 0) return input
    return Buffer.concat(input === undefined ? chunks : [input, ...chunks])
  }

  /** Stops watching. @returns what was read meanwhile; the bytes that came with the head stay where they are */
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
