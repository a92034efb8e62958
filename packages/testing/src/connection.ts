import { Link } from './link.ts'
import type { MemorySocket } from './memory.ts'

/** Creates a connection: a private constructor keeps its parameters out of the public types. */
export let connectionOf: (url: string, client: MemorySocket) => Connection

/** One connection through a network. */
export class Connection extends Link {
  static {
    connectionOf = (url, client) => new Connection(url, client)
  }

  /** The URL that the client has asked for. */
  readonly url: string
  readonly #client: MemorySocket

  /** Only a network creates it. */
  private constructor(url: string, client: MemorySocket) {
    super((direction) => [direction === 'toServer' ? client.line : client.peer.line])
    this.url = url
    this.#client = client
  }

  /**
   * Cuts the connection: each end gets a reset (`ECONNRESET`) without a close frame, which is close code 1006. What is
   * under way is lost.
   */
  cut(): void {
    this.#client.reset()
  }
}
