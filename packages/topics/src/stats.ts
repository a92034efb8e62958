import type { BackplaneHealth } from './backplane.ts'

/** Current numbers, and totals since `createTopics`. */
export interface TopicsStats {
  /** Sockets with at least one subscription. */
  readonly sockets: number
  /** Topics with at least one subscriber. */
  readonly topics: number
  /** Subscriptions of all sockets together. */
  readonly subscriptions: number
  /** Published messages. */
  readonly published: number
  /** Messages that were written to a socket. */
  readonly delivered: number
  /** Delivered messages written with `send`: a deflate job or a Blob was pending, or no shared frame was possible. */
  readonly sent: number
  /** Messages that a slow client did not get, including those that a newer one of the same topic replaced. */
  readonly dropped: number
  /** Sockets that were closed because their client read too slowly. */
  readonly closed: number
  /** Errors that sockets threw while they were written to. */
  readonly failed: number
  /** Clients that speak the protocol: with `serve`, or over plain HTTP. */
  readonly served: number
  /** Those of them that wait for a response over plain HTTP. */
  readonly httpClients: number
  /**
   * Members that are shown as present in topics, counted once for each topic and each node that has them. A node that is
   * known for a topic counts as one too.
   */
  readonly presence: number
  /** What they wait for, and totals. */
  readonly http: HttpStats
  /** Numbers of the history; undefined if there is none. */
  readonly history: HistoryStats | undefined
  /** Numbers of the backplane; undefined if there is none. */
  readonly backplane: BackplaneStats | undefined
}

/** Current numbers of the clients over plain HTTP, and totals since `createTopics`. */
export interface HttpStats {
  /** Open streams. */
  readonly streams: number
  /** Polls that wait for a message. */
  readonly polls: number
  /** Messages that wait until they are published. */
  readonly publishing: number
  /** Accepted requests: streams, polls and messages. */
  readonly accepted: number
  /** Requests that got an error, by status. A stream beyond a limit counts too, although it is ended with 200. */
  readonly refused: Readonly<Record<number, number>>
}

/** Current numbers of the history. */
export interface HistoryStats {
  /** Topics that it knows. */
  readonly topics: number
  /** Messages that it has. */
  readonly messages: number
  /** Memory that they take, in bytes. */
  readonly bytes: number
}

/** Current numbers of a backplane, and totals since `createTopics`. */
export interface BackplaneStats {
  /** The state of the backplane's connections. */
  readonly health: BackplaneHealth
  /** Topics that this node is subscribed to, or will be again once the connection is restored. */
  readonly topics: number
  /** Topics with subscribers on this node that the backplane is not subscribed to yet. */
  readonly missing: number
  /** Messages handed to the backplane, with what nodes tell each other about presence. */
  readonly sent: number
  /** Messages received from other nodes, with what they tell about presence. */
  readonly received: number
  /** Received messages that were not sent by a node of the same version. They are dropped. */
  readonly foreign: number
  /** Messages that could not be handed to the backplane. The sockets of this node still got them. */
  readonly failed: number
}

/** The totals among them. */
export class Counters
  implements
    Omit<
      TopicsStats,
      'sockets' | 'topics' | 'subscriptions' | 'served' | 'httpClients' | 'presence' | 'http' | 'history' | 'backplane'
    >
{
  published = 0
  delivered = 0
  sent = 0
  dropped = 0
  closed = 0
  failed = 0
}
