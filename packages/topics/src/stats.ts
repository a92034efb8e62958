import type { BackplaneHealth } from './backplane.ts'

/** Counts since `createTopics`, and what there is now. */
export interface TopicsStats {
  /** Sockets that have a topic. */
  readonly sockets: number
  /** Topics that a socket has. */
  readonly topics: number
  /** Subscriptions of all sockets together. */
  readonly subscriptions: number
  /** Calls of `publish`. */
  readonly published: number
  /** Messages that were written to a socket. */
  readonly delivered: number
  /** Those of them that `send` wrote: a deflate job or a Blob was under way, or there is no other way. */
  readonly sent: number
  /** Messages that a slow client did not get, or only a newer one of the same topic. */
  readonly dropped: number
  /** Sockets that were closed because their client did not read. */
  readonly closed: number
  /** Sockets that threw while they were written to. */
  readonly failed: number
  /** How it goes with the other nodes; undefined where there is no backplane. */
  readonly backplane: BackplaneStats | undefined
}

/** What there is of a backplane now, and counts. */
export interface BackplaneStats {
  /** What the backplane believes of its connections. */
  readonly health: BackplaneHealth
  /** Topics for which this node is subscribed, or will be again by itself once the connection is back. */
  readonly topics: number
  /** Topics that a socket has, and for which this node is not subscribed yet. */
  readonly missing: number
  /** Messages that were handed over. */
  readonly sent: number
  /** Messages of other nodes. */
  readonly received: number
  /** Messages on the channel of a topic that no node of ours has made. They are dropped. */
  readonly foreign: number
  /** Messages that could not be handed over. The sockets of this node got them. */
  readonly failed: number
}

/** The counters among them. */
export class Counters implements Omit<TopicsStats, 'sockets' | 'topics' | 'subscriptions' | 'backplane'> {
  published = 0
  delivered = 0
  sent = 0
  dropped = 0
  closed = 0
  failed = 0
}
