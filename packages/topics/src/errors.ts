import { pages } from './docs.ts'
import { nearMiss, numberIn } from './near-miss.ts'
import { show } from './show.ts'

/**
 * Why a subscription was refused:
 *
 * - `TOPICS_NAME`: the name of the topic is longer than `maxTopicLength`.
 * - `TOPICS_OF_SOCKET`: the socket has reached `maxTopicsPerSocket`.
 * - `TOPICS_SUBSCRIPTIONS`: all sockets together have reached `maxSubscriptions`.
 * - `TOPICS_CLOSED`: `close()` was called. After that, messages for a backplane fail with this code too.
 */
export type TopicsErrorCode = 'TOPICS_NAME' | 'TOPICS_OF_SOCKET' | 'TOPICS_SUBSCRIPTIONS' | 'TOPICS_CLOSED'

/** A refused subscription; `code` says why. */
export class TopicsError extends Error {
  /** The name of the class, for logs. */
  override readonly name = 'TopicsError'
  /** Why the subscription was refused. Stable; compare this and not the message. */
  readonly code: TopicsErrorCode

  /** Creates the error for a refused subscription. */
  constructor(code: TopicsErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/**
 * The error for an invalid argument or option.
 * @param what the function and its argument or option
 * @param meant the value that was probably meant, as code
 */
export function expected(what: string, wanted: string, got: unknown, meant?: string): TypeError {
  const near = meant ?? (wanted.includes('number') ? numberIn(got) : undefined)
  return new TypeError(
    `${what}: expected ${wanted}; got ${show(got)}${near === undefined ? '' : `; did you mean ${near}?`}`
  )
}

/** @throws TypeError for an unknown option */
export function checkNames(call: string, options: object, known: object): void {
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(known, name)) continue
    const near = nearMiss(name, Object.keys(known))
    const hint = near === undefined ? `see ${pages}/topics.md` : `did you mean ${near}?`
    throw new TypeError(`${call}: unknown option ${show(name)}; ${hint}`)
  }
}
