/** What one client may do, for `topics.serve`. */
export interface TopicsAccess {
  /**
   * Decides whether the client may subscribe to a topic. Only `true` allows it. If it throws or rejects, the client
   * gets an error, and may ask again.
   */
  mayRead(topic: string): boolean | Promise<boolean>
  /**
   * Decides whether the client may publish a message. Only `true` allows it. If it throws or rejects, the client gets
   * an error, and may ask again. Messages of one client are published in the order in which it has sent them.
   * @param data a string for a text message, a `Buffer` for a binary one
   */
  mayPublish(topic: string, data: string | Buffer): boolean | Promise<boolean>
  /**
   * Names the user or the session that the client belongs to, for `topics.revoke`. A message that is published again
   * under the same ID counts as the same only with the same key.
   * @default none
   */
  readonly key?: string | undefined
  /**
   * Who the client is to others, in the presence of the topics that it subscribes to.
   * @default it is not shown
   */
  readonly presence?: TopicsPresence | undefined
}

/** Who a client is to others. Several connections with one `id` are shown as one. */
export interface TopicsPresence {
  /** Names the user, in at most 256 characters. */
  readonly id: string
  /** Anything else to show, such as a name. It is sent as JSON, which with the `id` may have 4,096 characters. */
  readonly info?: unknown
}
