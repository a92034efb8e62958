import type { ServerResponse } from 'node:http'
import { passRawSocketOn, responseOn } from '../node.ts'
import type { Receiver } from './dispatch.ts'
import { abortRequest } from './events.ts'
import type { BusySocket, RawSocket, Tenant } from './raw-socket.ts'

/**
 * Runs a callback when the responses to all earlier requests have been sent: Node emits `upgrade` for a pipelined
 * request while they are still being written. It waits at most `handshakeTimeoutMs`, in a list of its own: such a
 * request costs the application nothing yet, so it does not take the place of a pending handshake.
 */
export function afterEarlierResponses(rawSocket: RawSocket, receiver: Receiver, run: () => void): void {
  if (isInTurn(rawSocket)) run()
  else new Queued(rawSocket, run).wait(receiver)
}

/** Whether there is no earlier response. If so, the request has its turn. */
export function isInTurn({ stream }: RawSocket): boolean {
  if (responseOn(stream) !== undefined) return false
  // The keep-alive timeout of earlier requests must not end this one.
  if (stream.timeout) stream.setTimeout?.(0)
  return true
}

/** A request that waits for earlier responses to finish. */
class Queued implements Tenant {
  readonly key = undefined
  readonly clientKey = undefined
  readonly #rawSocket: RawSocket
  #run: (() => void) | undefined

  constructor(rawSocket: RawSocket, run: () => void) {
    this.#rawSocket = rawSocket
    this.#run = run
  }

  wait({ connections, options }: Receiver): void {
    this.#rawSocket.rent(this, connections, performance.now(), 'queued')
    this.#rawSocket.watch({ keeps: true })
    if (connections.queued.size > options.maxPendingHandshakes) this.expire()
    this.#follow(responseOn(this.#rawSocket.stream))
  }

  #follow(inFront: ServerResponse | undefined): void {
    const { stream } = this.#rawSocket
    if (inFront) {
      stream.on('drain', passDrainOn)
      inFront.once('close', () => {
        stream.removeListener('drain', passDrainOn)
        this.#follow(responseOn(stream))
      })
    } else if (stream.destroyed || stream.writableEnded) {
      this.#rawSocket.leave()
    } else if (this.#run === undefined) {
      this.#rawSocket.linger()
    } else if (isInTurn(this.#rawSocket)) {
      this.#run()
    }
  }

  /** Aborts the earlier requests: Node's parser, which would do so, is detached. */
  closed(): void {
    const { stream } = this.#rawSocket
    const inFront = responseOn(stream)
    if (inFront === undefined) return
    abortRequest(inFront.req)
    // After the current response has emitted `close`.
    process.nextTick(abortFollowing, stream)
  }

  /**
   * Gives this request up. The current response may take as long as it needs; the connection is closed after it, which
   * a server may do to pipelined requests (RFC 9112 §9.3.2).
   */
  expire(): boolean {
    if (this.#run === undefined) return true
    this.#run = undefined
    this.#rawSocket.watch({ keeps: false })
    this.#rawSocket.moveTo('answering')
    return false
  }

  taken(): void {
    this.#run = undefined
  }

  revoke(): void {}
}

/** Aborts the requests whose responses are queued after the current one. */
function abortFollowing(stream: BusySocket): void {
  for (let inFront = responseOn(stream); inFront !== undefined; ) {
    passRawSocketOn(inFront)
    const next = responseOn(stream)
    if (next === undefined || next === inFront) return
    abortRequest(next.req)
    inFront = next
  }
}

/**
 * Forwards a raw socket's `drain` to its response, because Node has removed its own listener. That listener also resets
 * `writableNeedDrain`, so from here on the property is read from the socket.
 */
export function passDrainOn(this: BusySocket): void {
  const res = responseOn(this)
  if (res === undefined || res.writableEnded) return
  Object.defineProperty(res, 'writableNeedDrain', {
    configurable: true,
    get: () => this.writableNeedDrain
  })
  res.emit('drain')
}
