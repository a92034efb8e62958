import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { Random } from '@oneport/kit'

/** The network in front of a server: passes on bytes, resets connections, and is cut for a while. */
export class Relay {
  readonly #target: number
  readonly #server: Server
  readonly #pairs = new Set<readonly [Socket, Socket]>()
  #isCut = false

  /** @param target the port of the server */
  constructor(target: number) {
    this.#target = target
    this.#server = createServer((near) => this.#pass(near))
  }

  async listen(): Promise<number> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  get connections(): number {
    return this.#pairs.size
  }

  /** Resets a share of the connections, with whatever is on its way. */
  reset(share: number, random: Random): void {
    for (const pair of [...this.#pairs]) if (random.chance(share)) end(pair)
  }

  /** Passes on nothing, and does not say so. */
  cut(): void {
    this.#isCut = true
    for (const [near, far] of this.#pairs) {
      near.unpipe(far)
      far.unpipe(near)
    }
  }

  /** Passes on everything that has waited. Once is enough: those who cut it may overlap. */
  heal(): void {
    if (!this.#isCut) return
    this.#isCut = false
    for (const pair of this.#pairs) join(pair)
  }

  async close(): Promise<void> {
    const closed = once(this.#server.close(), 'close')
    for (const pair of [...this.#pairs]) end(pair)
    await closed
  }

  #pass(near: Socket): void {
    const far = connect(this.#target, '127.0.0.1')
    const pair = [near, far] as const
    this.#pairs.add(pair)
    if (!this.#isCut) join(pair)
    for (const socket of pair) {
      socket.setNoDelay()
      socket.on('error', () => {})
      socket.once('close', () => {
        if (pair.every(({ closed }) => closed)) this.#pairs.delete(pair)
        // One that has ended has yet to pass on its last bytes.
        for (const other of pair) if (!other.writableEnded) other.destroy()
      })
    }
  }
}

function join([near, far]: readonly [Socket, Socket]): void {
  near.pipe(far)
  far.pipe(near)
}

function end(pair: readonly [Socket, Socket]): void {
  for (const socket of pair) socket.resetAndDestroy()
}
