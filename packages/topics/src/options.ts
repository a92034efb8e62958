import { type Backplane, isBackplane } from './backplane.ts'
import { checkNames, expected } from './errors.ts'
import { nearMiss } from './near-miss.ts'
import type { TopicSocket } from './socket.ts'

/**
 * What happens to a socket whose client does not read, when there is more for it:
 *
 * - `'close'`: it is closed with 1013.
 * - `'drop'`: it does not get this message.
 * - `'latest'`: the newest message of each topic waits, and is sent once the client reads again. Where these are more than
 *   `maxBufferedBytes` too, it is closed with 1013: with one of them left out, the client would never know.
 */
export type SlowPolicy = 'close' | 'drop' | 'latest'

/** Options of `createTopics`. */
export interface TopicsOptions<Socket extends TopicSocket = TopicSocket> {
  /**
   * Bytes that may wait for one client, each message counted with 1 KiB for what Node keeps of it. Where more wait already,
   * `whenSlow` says what becomes of the next message. `Infinity` lets any amount wait.
   * @default 1_048_576
   */
  maxBufferedBytes?: number | undefined
  /**
   * What happens to a client that is further behind; see {@link SlowPolicy}.
   * @default 'close'
   */
  whenSlow?: SlowPolicy | undefined
  /**
   * Characters that the name of a topic may have. `Infinity` takes any.
   * @default 256
   */
  maxTopicLength?: number | undefined
  /**
   * Topics that one socket may have at one time. `Infinity` takes any number.
   * @default 1_000
   */
  maxTopicsPerSocket?: number | undefined
  /**
   * Subscriptions of all sockets together. There are never more topics than subscriptions. `Infinity` takes any number.
   * @default 1_000_000
   */
  maxSubscriptions?: number | undefined
  /**
   * Brings messages to and from other nodes: `redisBackplane()` of `@oneport/redis`, `memoryBackplane()` in tests, or any
   * {@link Backplane} of yours. It belongs to these topics alone, and `close()` closes it.
   * @default none
   */
  backplane?: Backplane | undefined
  /**
   * Called where the backplane refuses a message, a subscription or to close, or can't say how it is, with the topic, which
   * is empty for the last two. The sockets of this node still get the message, and the subscription is tried again.
   * Where it throws or rejects itself, that is a line on stderr.
   * @default nothing
   */
  onBackplaneError?: ((error: unknown, topic: string) => void) | undefined
  /**
   * Called where a socket throws while it is written to, as its `send` may if something replaced it. The other sockets
   * still get their message. Where it throws or rejects itself, that is a line on stderr.
   * @default nothing; `stats().failed` counts them
   */
  onError?: ((error: unknown, socket: Socket) => void) | undefined
}

/** {@link TopicsOptions}, checked, with defaults. */
export interface ResolvedOptions {
  readonly maxBufferedBytes: number
  readonly whenSlow: SlowPolicy
  readonly maxTopicLength: number
  readonly maxTopicsPerSocket: number
  readonly maxSubscriptions: number
  readonly backplane: Backplane | undefined
  readonly onBackplaneError: (error: unknown, topic: string) => void
  readonly onError: (error: unknown, socket: TopicSocket) => void
}

const defaults: ResolvedOptions = Object.freeze({
  maxBufferedBytes: 1_048_576,
  whenSlow: 'close',
  maxTopicLength: 256,
  maxTopicsPerSocket: 1_000,
  maxSubscriptions: 1_000_000,
  backplane: undefined,
  onBackplaneError: () => {},
  onError: () => {}
})

const units = {
  maxBufferedBytes: 'bytes',
  maxTopicLength: 'characters',
  maxTopicsPerSocket: 'topics',
  maxSubscriptions: 'subscriptions'
} as const

const policies: readonly string[] = ['close', 'drop', 'latest'] satisfies SlowPolicy[]

const isCount = (value: unknown): boolean => value === Infinity || (Number.isSafeInteger(value) && Number(value) > 0)

/**
 * Checks options and fills in what they leave out.
 * @throws TypeError that names the option, what was expected and what came
 */
export function resolveOptions(options: TopicsOptions): ResolvedOptions {
  if (typeof options !== 'object' || options === null) throw expected('createTopics: options', 'an object', options)
  checkNames('createTopics', options, defaults)
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  const resolved: ResolvedOptions = { ...defaults, ...Object.fromEntries(given) }
  for (const [name, unit] of Object.entries(units) as [keyof typeof units, string][]) {
    if (!isCount(resolved[name])) {
      throw expected(`createTopics: ${name}`, `a positive whole number of ${unit}, or Infinity`, resolved[name])
    }
  }
  const { whenSlow, backplane } = resolved
  if (!policies.includes(whenSlow)) {
    const near = nearMiss(String(typeof whenSlow === 'string' && whenSlow), policies)
    throw expected('createTopics: whenSlow', "'close', 'drop' or 'latest'", whenSlow, near && `'${near}'`)
  }
  if (backplane !== undefined && !isBackplane(backplane)) {
    throw expected('createTopics: backplane', 'publish, subscribe, unsubscribe, health and close', backplane)
  }
  for (const name of ['onBackplaneError', 'onError'] as const) {
    if (typeof resolved[name] !== 'function') throw expected(`createTopics: ${name}`, 'a function', resolved[name])
  }
  return resolved
}
