import type { ServerResponse } from 'node:http'
import { passRawSocketOn, responseOn } from '../node.ts'
import type { Receiver } from './dispatch.ts'
import { abortRequest } from './events.ts'
import type { BusySocket, RawSocket, Tenant } from './raw-socket.ts'

/**
 * Runs when the responses to requests in front of a request have gone out: Node hands over a pipelined request for an
 * upgrade while they are still being written. Until then it waits for as long as any handshake, in a list of its own: it costs
 * the application nothing yet, so it takes nobody's place.
 */
export function afterThoseInFront(rawSocket: RawSocket, receiver: Receiver, run: () => void): void {
  const { stream } = rawSocket
  if (responseOn(stream) === undefined) begin(stream, run)
  else new Queued(rawSocket, run).wait(receiver)
}

function begin(stream: BusySocket, run: () => void): void {
  // A keep-alive timeout of requests in front must not end this one.
  if (stream.timeout) stream.setTimeout?.(0)
  run()
}

/** A request that waits behind unfinished responses. */
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
    } else {
      begin(stream, this.#run)
    }
  }

  /** Node's parser would tell the requests in front, but it has let go of the connection. */
  closed(): void {
    const { stream } = this.#rawSocket
    const inFront = responseOn(stream)
    if (inFront === undefined) return
    abortRequest(inFront.req)
    // Once the first response has heard of it.
    process.nextTick(abortFollowing, stream)
  }

  /**
   * The response in front is left alone, however long it takes; the connection is closed behind it, as a server may do
   * with a pipelined request (RFC 9112 §9.3.2).
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

/** Aborts the requests whose responses wait behind the one in front. */
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
 * Passes a raw socket's `drain` on to its response; Node's own listener is gone by now.
 * `writableNeedDrain` would stay true for ever without Node's listener, so it is read from the socket from here on.
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
