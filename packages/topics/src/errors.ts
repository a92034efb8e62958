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

/** A value for a message, in quotes where it is text. It never throws: a Proxy, or a function's `toString`, may. */
export function show(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`
  try {
    return typeof value === 'object' && value !== null ? Object.prototype.toString.call(value) : String(value)
  } catch {
    return `[unprintable ${typeof value}]`
  }
}

export const expected = (what: string, wanted: string, got: unknown): TypeError =>
  new TypeError(`${what}: expected ${wanted}; got ${show(got)}`)
