/** Why a topic or a message was refused. */
export type TopicsErrorCode = 'forbidden' | 'limit' | 'busy' | 'unknown' | 'closed'

/** An error of `connectTopics`. */
export class TopicsClientError extends Error {
  /**
   * - `'forbidden'`: the server does not allow it.
   * - `'limit'`: a limit of the server is reached.
   * - `'busy'`: too many messages wait for their acknowledgement.
   * - `'unknown'`: the connection was lost for so long that nobody knows whether the message was published.
   * - `'closed'`: the topics are closed.
   */
  readonly code: TopicsErrorCode

  /** Made by the library. */
  constructor(code: TopicsErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
