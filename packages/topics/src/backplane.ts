/**
 * Carries messages between nodes: `redisBackplane()` of `@oneport/redis`, `postgresBackplane()` of
 * `@oneport/postgres`, `clusterBackplane()` of `@oneport/topics/cluster`, {@link memoryBackplane}, or any object with
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

/** The place of a message in its topic. */
export interface Position {
  /**
   * Names the life of the history: 1 to 64 letters, digits, `_`, `-` and `.`, of which the first is a letter, a digit or
   * `_`. It changes when messages or offsets were lost.
   */
  readonly epoch: string
  /** The number of the message. In an epoch, the messages of a topic have consecutive offsets, from 1. */
  readonly offset: number
}

/** The messages that a backplane has kept of a topic. */
export interface Kept {
  /** Names the life of the history. A topic that has none yet gets one. */
  readonly epoch: string
  /** The offset of the newest message; 0 if there was none. */
  readonly last: number
  /** The newest messages without a hole, up to `last`. */
  readonly messages: readonly Buffer[]
}

/** How much of a topic a backplane keeps. */
export interface KeptLimits {
  /** Number of messages. */
  readonly messages: number
  /** Age of a message in milliseconds, and how long to keep a topic after its last message. */
  readonly ms: number
  /** Bytes of the messages. */
  readonly bytes: number
}

/**
 * A backplane that also keeps messages, for the option `history`: `redisBackplane()` of `@oneport/redis`,
 * {@link memoryBackplane}, or your own. `backplaneContract` of `@oneport/topics/contract` has its test cases.
 */
export interface HistoryBackplane extends Backplane {
  /**
   * Gives a message the next offset of its topic, keeps it, and sends it to all nodes that are subscribed, this one too.
   * What exceeds the limits may be removed, the oldest first. All of this is one step: no node sees part of it.
   * @param name if a message of this name was appended to the topic in the last 90 seconds, nothing happens
   * @returns a promise of the place of the message, or of the earlier one. It rejects if the message was not kept, or if
   * that is unknown
   */
  append(topic: string, message: Buffer, limits: KeptLimits, name?: string): Promise<Position>
  /**
   * Reads the kept messages of a topic.
   * @param after only messages with a greater offset are needed, if the epoch is still this one
   */
  read(topic: string, after: Position | undefined, limits: KeptLimits): Promise<Kept>
  /**
   * Starts to deliver the messages of a topic, those of this node too. Appended ones come with their place.
   * @param lost called when messages may have been lost, for example after a connection was restored; they are read then
   */
  subscribe(
    topic: string,
    receive: (message: Buffer, topic: string, position?: Position) => void,
    lost?: (topic: string) => void
  ): Promise<unknown>
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

/** Whether a backplane keeps messages. */
export const keeps = (backplane: Backplane): backplane is HistoryBackplane =>
  'append' in backplane && 'read' in backplane
