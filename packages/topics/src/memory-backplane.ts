import type { Backplane, BackplaneHealth } from './backplane.ts'
import { expected } from './errors.ts'

type Receive = (message: Buffer) => void

/** Connects backplanes in memory, in place of a server between the nodes. */
export class MemoryHub {
  /**
   * The health that its backplanes report. While it is `'down'`, they reject messages and subscriptions: set it to test
   * how an application handles an outage.
   */
  health: BackplaneHealth = 'up'
  readonly #topics = new Map<string, Set<Receive>>()

  /** Number of nodes that are subscribed to a topic. */
  subscribers(topic: string): number {
    return this.#topics.get(topic)?.size ?? 0
  }

  /** Creates a backplane for another node. */
  join(): Backplane {
    const own = new Map<string, Receive>()
    let isClosed = false

    const check = (): void => {
      if (isClosed) throw new Error('The backplane is closed.')
      if (this.health === 'down') throw new Error('The hub is down.')
    }

    return {
      publish: async (topic, message) => {
        check()
        // Asynchronous, like a network.
        for (const receive of this.#topics.get(topic) ?? []) queueMicrotask(() => receive(message))
      },

      subscribe: async (topic, receive) => {
        check()
        const deliver: Receive = (message) => {
          if (own.get(topic) === deliver) receive(message, topic)
        }
        own.set(topic, deliver)
        const receivers = this.#topics.get(topic) ?? new Set()
        this.#topics.set(topic, receivers.add(deliver))
      },

      unsubscribe: async (topic) => {
        check()
        this.#remove(topic, own)
      },

      health: () => (isClosed ? 'down' : this.health),

      close: async () => {
        isClosed = true
        for (const topic of [...own.keys()]) this.#remove(topic, own)
      }
    }
  }

  #remove(topic: string, own: Map<string, Receive>): void {
    const receivers = this.#topics.get(topic)
    const deliver = own.get(topic)
    own.delete(topic)
    if (receivers === undefined || deliver === undefined) return
    receivers.delete(deliver)
    if (receivers.size === 0) this.#topics.delete(topic)
  }
}

/**
 * A backplane without a network, for tests: nodes whose backplanes share a hub get each other's messages.
 * @param hub connects it to other backplanes; by default a new one, to which no other node is connected
 * @throws TypeError if `hub` is not a `MemoryHub`
 */
export function memoryBackplane(hub: MemoryHub = new MemoryHub()): Backplane {
  if (typeof hub?.join !== 'function') throw expected('memoryBackplane: hub', 'a MemoryHub', hub)
  return hub.join()
}
