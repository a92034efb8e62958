import { HandshakeError } from '../errors.ts'
import { addressKey } from './address.ts'

/** Counts connections, in total and for each address. An accepted handshake takes a place. */
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
   * Takes a place. `giveBack` must be called exactly once for it.
   * @param client its address is read only if there is a limit per address; a client without one counts for no address
   * @returns the address that the place counts for; undefined if addresses are not counted
   * @throws HandshakeError HANDSHAKE_UNAVAILABLE if no place is left, HANDSHAKE_TOO_MANY if the address has none left
   */
  take(client: { readonly address?: string | undefined }): string | undefined {
    const key = this.check(client)
    if (key !== undefined) this.#byAddress.set(key, (this.#byAddress.get(key) ?? 0) + 1)
    this.#taken++
    return key
  }

  /** Checks that there is a place, as `take` does, without taking it. */
  check(client: { readonly address?: string | undefined }): string | undefined {
    if (this.#taken >= this.#max) {
      throw new HandshakeError(
        'HANDSHAKE_UNAVAILABLE',
        'The server has reached its limit of WebSocket connections; try again in a few seconds.',
        `maxConnections is ${this.#max}`
      )
    }
    const address = this.#maxPerAddress === Infinity ? undefined : client.address
    const key = address === undefined ? undefined : addressKey(address)
    if (key !== undefined && (this.#byAddress.get(key) ?? 0) >= this.#maxPerAddress) {
      throw new HandshakeError(
        'HANDSHAKE_TOO_MANY',
        'Your address has reached its limit of WebSocket connections; close one, or try again later.',
        `maxConnectionsPerAddress is ${this.#maxPerAddress}, address ${key}`
      )
    }
    return key
  }

  /** Frees a place. @param key what `take` returned */
  giveBack(key: string | undefined): void {
    this.#taken--
    if (key !== undefined) this.#giveBackAddress(key)
  }

  #giveBackAddress(key: string): void {
    const count = (this.#byAddress.get(key) ?? 1) - 1
    if (count === 0) this.#byAddress.delete(key)
    else this.#byAddress.set(key, count)
  }
}
