/**
 * Carries messages between nodes: `redisBackplane()` of `@oneport/redis`, {@link memoryBackplane}, or any object with
 * these five methods. Each backplane belongs to one set of topics.
 *
 * It only moves bytes: `createTopics` writes and reads the envelope.
 */
export interface Backplane {
  /**
   * Sends a message to the other nodes. Messages of one topic must arrive in the order of these calls.
   * @returns a promise that resolves once the message has been handed over, and rejects if it has not, or if that is
   * unknown. It must settle in bounded time; messages that can't be handed over now are dropped, not queued
   */
  publish(topic: string, message: Buffer): Promise<unknown>
  /**
   * Starts to deliver the messages of a topic: those of other nodes, and optionally those of this node. Unless it
   * rejects, it is not called again for the topic until `unsubscribe` has resolved.
   * @returns a promise that resolves once messages arrive. They must keep arriving until `unsubscribe`, even after the
   * connection was lost and restored. If it rejects, it is called again. At most 1,000 calls are pending at once
   */
  subscribe(topic: string, receive: (message: Buffer, topic: string) => void): Promise<unknown>
  /** Stops what `subscribe` started. If it rejects, it is called again. */
  unsubscribe(topic: string): Promise<unknown>
  /**
   * The current state of its connections; see {@link BackplaneHealth}. It is called often, so it must be cheap. If it
   * throws or returns anything else, that counts as `'down'`.
   */
  health(): BackplaneHealth
  /** Closes its connections. Messages that were already handed over are still sent, if that takes only a moment. */
  close(): Promise<unknown>
}

/**
 * The state of a backplane's connections:
 *
 * - `'up'`: all of them work.
 * - `'partial'`: some of them work, for example if one shard of a cluster is unreachable.
 * - `'down'`: messages of other nodes can't arrive. Until this changes, it is not asked to subscribe or unsubscribe.
 */
export type BackplaneHealth = 'up' | 'partial' | 'down'

const healths: readonly unknown[] = ['up', 'partial', 'down']

export const isHealth = (value: unknown): value is BackplaneHealth => healths.includes(value)

const methods = ['publish', 'subscribe', 'unsubscribe', 'health', 'close'] as const

export const isBackplane = (value: unknown): value is Backplane =>
  typeof value === 'object' &&
  value !== null &&
  methods.every((name) => typeof (value as Partial<Record<string, unknown>>)[name] === 'function')
