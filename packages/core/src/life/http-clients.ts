import { clientKeyOf } from '../rules/address.ts'
import type { ResolvedCredential } from '../rules/credential.ts'
import type { EffectiveRequest } from '../rules/effective.ts'
import type { Limits } from '../rules/limits.ts'
import type { Expiring, Expiry } from './expiry.ts'

/** A client of a service that waits for a response over plain HTTP. */
export interface ServiceClient {
  /** Names its address in counts, an IPv6 address by its first 64 bits; undefined if it is not known. */
  readonly address: string | undefined
  /**
   * Aborted when the client must go, before or while it waits. `reason` is the status of its response: 401 if its
   * credential has ended, 429 if its address has too many connections, 503 if the server has, or shuts down.
   */
  readonly signal: AbortSignal
}

/** Our record of one such client. */
export class HttpClient implements ServiceClient, Expiring {
  readonly address: string | undefined
  readonly credential: ResolvedCredential | undefined
  /** The address that its place counts for, in an object because that may be undefined. */
  place: { readonly key: string | undefined } | undefined
  readonly #leave = new AbortController()

  constructor(effective: EffectiveRequest, credential: ResolvedCredential | undefined) {
    this.address = clientKeyOf(effective)
    this.credential = credential
  }

  get signal(): AbortSignal {
    return this.#leave.signal
  }

  expel(status: number): void {
    this.#leave.abort(status)
  }

  expireCredential(): void {
    this.expel(401)
  }
}

/** The clients of one attachment that wait for a response over plain HTTP. */
export class HttpClients {
  readonly #clients = new Set<HttpClient>()
  readonly #limits: Limits
  readonly #expiry: Expiry

  constructor(limits: Limits, expiry: Expiry) {
    this.#limits = limits
    this.#expiry = expiry
  }

  get size(): number {
    return this.#clients.size
  }

  [Symbol.iterator](): IterableIterator<HttpClient> {
    return this.#clients.values()
  }

  add(client: HttpClient): void {
    this.#clients.add(client)
    if (client.credential !== undefined) this.#expiry.set(client, client.credential.expiresAt)
  }

  /** Takes a place among the connections. @throws HandshakeError if none is left */
  takePlace(client: HttpClient, effective: EffectiveRequest): void {
    client.place = { key: this.#limits.take(effective) }
  }

  /** Removes a client whose response is complete, or that has left. */
  delete(client: HttpClient): void {
    if (!this.#clients.delete(client)) return
    this.#expiry.delete(client)
    if (client.place !== undefined) this.#limits.giveBack(client.place.key)
  }

  /** Ends the responses to one user or session. @returns how many */
  revoke(key: string): number {
    const clients = [...this.#clients].filter(({ credential }) => credential?.key === key)
    for (const client of clients) client.expel(401)
    return clients.length
  }
}
