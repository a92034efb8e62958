import { pages } from './docs.ts'
import { nearMiss, numberIn } from './near-miss.ts'
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
  /** For logs. */
  override readonly name = 'TopicsError'
  /** Which limit was reached. Stable: compare this. */
  readonly code: TopicsErrorCode

  /** Creates an error. */
  constructor(code: TopicsErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/**
 * The error for a wrong argument or option.
 * @param what the function, and which of its arguments or options
 * @param meant what was probably meant, as code
 */
export function expected(what: string, wanted: string, got: unknown, meant?: string): TypeError {
  const near = meant ?? (wanted.includes('number') ? numberIn(got) : undefined)
  return new TypeError(
    `${what}: expected ${wanted}; got ${show(got)}${near === undefined ? '' : `; did you mean ${near}?`}`
  )
}

/** @throws TypeError for a name that is not among the known ones */
export function checkNames(call: string, options: object, known: object): void {
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(known, name)) continue
    const near = nearMiss(name, Object.keys(known))
    const hint = near === undefined ? `see ${pages}/topics.md` : `did you mean ${near}?`
    throw new TypeError(`${call}: unknown option ${show(name)}; ${hint}`)
  }
}
