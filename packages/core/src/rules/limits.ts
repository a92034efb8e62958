import { HandshakeError } from '../errors.ts'
import { addressKey } from './address.ts'

/** Counts connections, in all and by address; a place is taken when a handshake is accepted. */
export class Limits {
  readonly #max: number
  readonly #maxPerAddress: number
  readonly #byAddress = new Map<string, number>()
  #taken = 0

  constructor(max: number, maxPerAddress: number) {
    this.#max = max
    this.#maxPerAddress = maxPerAddress
  }

  /**
   * Takes a place; `giveBack` has to be called once for it.
   * @param client its address is read only where one address has a limit; without one it counts against none
   * @returns the address under which it counts; undefined where addresses are not counted
   * @throws HandshakeError HANDSHAKE_UNAVAILABLE where there is none left, HANDSHAKE_TOO_MANY where the address has its
   *   share
   */
  take(client: { readonly address?: string | undefined }): string | undefined {
    if (this.#taken >= this.#max) {
      throw new HandshakeError(
        'HANDSHAKE_UNAVAILABLE',
        'The server has as many WebSocket connections as it takes; try again in a few seconds.',
        `maxConnections is ${this.#max}`
      )
    }
    const address = this.#maxPerAddress === Infinity ? undefined : client.address
    const key = address === undefined ? undefined : addressKey(address)
    if (key !== undefined) this.#takeFrom(key)
    this.#taken++
    return key
  }

  /** Gives back a place, with what `take` returned for it. */
  giveBack(key: string | undefined): void {
    this.#taken--
    if (key !== undefined) this.#giveBackAddress(key)
  }

  #takeFrom(key: string): void {
    const count = this.#byAddress.get(key) ?? 0
    if (count >= this.#maxPerAddress) {
      throw new HandshakeError(
        'HANDSHAKE_TOO_MANY',
        'Your address has as many WebSocket connections as it may have here; close one, or try again later.',
        `maxConnectionsPerAddress is ${this.#maxPerAddress}, address ${key}`
      )
    }
    this.#byAddress.set(key, count + 1)
  }

  #giveBackAddress(key: string): void {
    const count = (this.#byAddress.get(key) ?? 1) - 1
    if (count === 0) this.#byAddress.delete(key)
    else this.#byAddress.set(key, count)
  }
}
