import type { Backplane, BackplaneHealth } from './backplane.ts'
import { expected } from './errors.ts'

type Receive = (message: Buffer) => void

/** Where backplanes in memory meet: stands for the server between the nodes. */
export class MemoryHub {
  /**
   * What its backplanes say of their health. While it is `'down'` they refuse messages and subscriptions: set it to see what
   * an application does then.
   */
  health: BackplaneHealth = 'up'
  readonly #topics = new Map<string, Set<Receive>>()

  /** How many nodes have subscribed to a topic. */
  subscribers(topic: string): number {
    return this.#topics.get(topic)?.size ?? 0
  }

  /** A backplane for one more node. */
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
        // Later, as over a network.
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
 * A backplane without a network, for tests: nodes whose backplanes have the same hub hear each other.
 * @param hub where it meets the others; one of its own where none is given
 * @throws TypeError for anything else
 */
export function memoryBackplane(hub: MemoryHub = new MemoryHub()): Backplane {
  if (typeof hub?.join !== 'function') throw expected('memoryBackplane: hub', 'a MemoryHub', hub)
  return hub.join()
}
