/**
 * What brings messages from one node to the others. Those of `@oneport/redis` and {@link memoryBackplane} are such; so is
 * any object of yours that has these five methods. It belongs to one set of topics.
 *
 * It moves bytes and does not look into them: `createTopics` makes and reads the envelope.
 */
export interface Backplane {
  /**
   * Hands a message to the other nodes. Messages of one topic arrive in the order of these calls.
   * @returns a promise that resolves once the message is handed over, and rejects where it was not, or nobody knows. It
   * settles in bounded time, and messages that can't be handed over now are given up rather than kept
   */
  publish(topic: string, message: Buffer): Promise<unknown>
  /**
   * Has messages of a topic brought to this node: those of other nodes, and its own if that is how it works. Never called
   * again for a topic before `unsubscribe` has resolved, other than after it rejected.
   * @returns a promise that resolves once messages arrive. From then on they do until `unsubscribe`, also after the
   * connection was lost and is there again. Where it rejects it will be called again. No more than 1,000 topics wait for
   * their answers at one time
   */
  subscribe(topic: string, receive: (message: Buffer, topic: string) => void): Promise<unknown>
  /** Ends what `subscribe` began. Where it rejects it will be called again. */
  unsubscribe(topic: string): Promise<unknown>
  /**
   * What it believes of its connections now; see {@link BackplaneHealth}. It costs nothing to ask. Where it throws, or says
   * something else, that counts as `'down'`.
   */
  health(): BackplaneHealth
  /** Ends everything; what was handed over before is sent, if that takes no more than a moment. */
  close(): Promise<unknown>
}

/**
 * What a backplane believes of its connections:
 *
 * - `'up'`: all of them work.
 * - `'partial'`: some of them work, as where one shard of a cluster is away.
 * - `'down'`: messages of other nodes can't come now. It is not asked for subscriptions meanwhile.
 */
export type BackplaneHealth = 'up' | 'partial' | 'down'

const healths: readonly unknown[] = ['up', 'partial', 'down']

export const isHealth = (value: unknown): value is BackplaneHealth => healths.includes(value)

const methods = ['publish', 'subscribe', 'unsubscribe', 'health', 'close'] as const

export const isBackplane = (value: unknown): value is Backplane =>
  typeof value === 'object' &&
  value !== null &&
  methods.every((name) => typeof (value as Partial<Record<string, unknown>>)[name] === 'function')
