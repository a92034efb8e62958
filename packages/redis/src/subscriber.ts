import { begin } from './begin.ts'
import type { ClusterRetryStrategy, IoRedisCluster } from './client.ts'
import type { Events } from './connection.ts'
import { inTime } from './in-time.ts'
import { insist } from './insist.ts'

/** How long a shard has to answer, in milliseconds. ioredis itself would wait for as long as it takes. */
const answerMs = 5_000

/**
 * The subscribed connections to the shards of a Cluster. If all nodes are lost, it makes a new ioredis client: ioredis
 * would reuse the old one, which waits forever and subscribes to nothing more if its nodes were lost while it was
 * connecting. https://github.com/redis/ioredis/blob/v6.0.0/lib/cluster/ClusterSubscriberGroup.ts
 */
export class ClusterSubscriber {
  readonly #make: (strategy: ClusterRetryStrategy) => IoRedisCluster
  readonly #strategy: ClusterRetryStrategy | undefined
  readonly #events: Events
  readonly #channels = new Set<string>()
  #cluster: IoRedisCluster
  #attempts = 0
  /** How often all channels were to be subscribed again. The last time counts. */
  #round = 0
  #timer: NodeJS.Timeout | undefined

  /** @param strategy returns the delay before the next attempt to connect */
  constructor(
    make: (strategy: ClusterRetryStrategy) => IoRedisCluster,
    strategy: ClusterRetryStrategy | undefined,
    events: Events
  ) {
    this.#make = make
    this.#strategy = strategy
    this.#events = events
    this.#cluster = this.#open()
  }

  get isReady(): boolean {
    return this.#cluster.status === 'ready'
  }

  async subscribe(channel: string): Promise<void> {
    this.#channels.add(channel)
    try {
      await this.#ask(channel)
    } catch (error) {
      this.#channels.delete(channel)
      throw error
    }
  }

  async unsubscribe(channel: string): Promise<void> {
    this.#channels.delete(channel)
    await inTime(answerMs, 'unsubscribe', () => this.#cluster.sunsubscribe(channel))
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#channels.clear()
    this.#cluster.disconnect()
  }

  #open(): IoRedisCluster {
    const cluster = this.#make((_, reason) => {
      const delay = this.#strategy?.(++this.#attempts, reason)
      if (typeof delay === 'number') this.#timer = setTimeout(() => this.#replace(), delay)
      return null
    })
    cluster.on('smessageBuffer', (channel, message) => this.#events.onMessage(channel.toString(), message))
    cluster.on('ready', () => {
      this.#attempts = 0
      this.#askAgain(cluster)
    })
    // A shard has another connection. ioredis has subscribed there again, but does not say with which result.
    cluster.on('subscribersReady', () => this.#askAgain(cluster))
    begin([cluster], this.#events.onError)
    return cluster
  }

  #replace(): void {
    // Some of its shards may still be connected.
    this.#cluster.disconnect()
    this.#cluster = this.#open()
  }

  /** Subscribes to all channels again. */
  #askAgain(cluster: IoRedisCluster): void {
    if (cluster !== this.#cluster) return
    const round = ++this.#round
    for (const channel of this.#channels) {
      const isWanted = (): boolean => cluster === this.#cluster && round === this.#round && this.#channels.has(channel)
      const again = async (): Promise<void> => {
        // Otherwise ioredis would have the channel in its list once more.
        cluster.sunsubscribe(channel).catch(() => {})
        await this.#ask(channel, isWanted)
        this.#events.onLost(channel)
      }
      void insist(again, isWanted, this.#events.onError)
    }
  }

  /** @param isWanted whether nobody else has asked for the channel meanwhile */
  async #ask(channel: string, isWanted = (): boolean => true): Promise<void> {
    const cluster = this.#cluster
    try {
      await inTime(answerMs, 'subscribe', () => cluster.ssubscribe(channel))
    } catch (error) {
      // ioredis adds the channel to its list before it is subscribed, and again on each attempt.
      if (isWanted()) cluster.sunsubscribe(channel).catch(() => {})
      throw error
    }
  }
}
