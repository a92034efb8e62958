import { show } from './show.ts'

/**
 * Why a subscription was refused:
 *
 * - `TOPICS_NAME`: the name of the topic is longer than `maxTopicLength`.
 * - `TOPICS_OF_SOCKET`: the socket has `maxTopicsPerSocket` already.
 * - `TOPICS_SUBSCRIPTIONS`: there are `maxSubscriptions` already.
 * - `TOPICS_CLOSED`: `close()` has been called.
 */
export type TopicsErrorCode = 'TOPICS_NAME' | 'TOPICS_OF_SOCKET' | 'TOPICS_SUBSCRIPTIONS' | 'TOPICS_CLOSED'

/** A subscription that was refused. */
export class TopicsError extends Error {
  override readonly name = 'TopicsError'
  readonly code: TopicsErrorCode

  constructor(code: TopicsErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

export const expected = (what: string, wanted: string, got: unknown): TypeError =>
  new TypeError(`${what}: expected ${wanted}; got ${show(got)}`)
