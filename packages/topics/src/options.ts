import { type Backplane, isBackplane, keeps } from './backplane.ts'
import { checkNames, expected } from './errors.ts'
import type { LogLimits } from './history/log.ts'
import { nearMiss } from './near-miss.ts'
import type { TopicSocket } from './socket.ts'

/**
 * What to do about a message for a client that reads too slowly, when more than `maxBufferedBytes` wait for it already:
 *
 * - `'close'`: closes the socket with 1013 (Try Again Later).
 * - `'drop'`: does not send it this message.
 * - `'latest'`: holds the newest message of each topic, and sends it once the client reads again. If the held messages
 *   exceed `maxBufferedBytes` too, closes the socket with 1013, because the client would not notice a dropped one.
 */
export type SlowPolicy = 'close' | 'drop' | 'latest'

/** How much a topic keeps, for subscribers that come back. What exceeds one of these is removed, the oldest first. */
export interface HistoryLimits {
  /**
   * Number of messages. `Infinity` disables the limit.
   * @default 1_000
   */
  messages?: number | undefined
  /**
   * Age of a message in milliseconds, and how long after the last message a subscriber may come back. `Infinity`
   * disables the limit.
   * @default 300_000
   */
  ms?: number | undefined
  /**
   * Bytes, including 1 KiB of overhead for each message. `Infinity` disables the limit.
   * @default 16_777_216
   */
  bytes?: number | undefined
}

/** Options of `createTopics`. */
export interface TopicsOptions<Socket extends TopicSocket = TopicSocket> {
  /**
   * Bytes that may wait for one client, including 1 KiB of overhead for each message. If more are waiting already,
   * `whenSlow` decides about the next message. `Infinity` disables the limit.
   * @default 1_048_576
   */
  maxBufferedBytes?: number | undefined
  /**
   * What to do about a client that exceeds `maxBufferedBytes`; see {@link SlowPolicy}.
   * @default 'close'
   */
  whenSlow?: SlowPolicy | undefined
  /**
   * Maximum length of the name of a topic, in characters. `Infinity` disables the limit.
   * @default 256
   */
  maxTopicLength?: number | undefined
  /**
   * Maximum number of topics that one socket is subscribed to. `Infinity` disables the limit.
   * @default 1_000
   */
  maxTopicsPerSocket?: number | undefined
  /**
   * Maximum number of subscriptions of all sockets together, and so of topics. `Infinity` disables the limit.
   * @default 1_000_000
   */
  maxSubscriptions?: number | undefined
  /**
   * Keeps the newest messages of topics, so that a subscriber that comes back gets what it has missed: see `serve`. A
   * function decides for each topic: it is called often, so it should be quick, and always say the same of a topic.
   * `undefined` means no history.
   * @default none
   */
  history?: HistoryLimits | ((topic: string) => HistoryLimits | undefined) | undefined
  /**
   * Bytes that the histories of all topics may take together, including 1 KiB of overhead for each message. Beyond it,
   * the topics without a new message for the longest time lose their oldest ones. `Infinity` disables the limit.
   * @default 268_435_456
   */
  maxHistoryBytes?: number | undefined
  /**
   * Maximum number of members that are shown as present in topics, counted once for each topic and each node that has
   * them. A node that is known for a topic counts as one too. Others are not shown. `Infinity` disables the limit.
   * @default 100_000
   */
  maxPresence?: number | undefined
  /**
   * Maximum number of messages of clients whose IDs are remembered for 90 seconds, so that none is published twice.
   * Beyond it, clients are told to try again. `Infinity` disables the limit.
   * @default 250_000
   */
  maxPublishIds?: number | undefined
  /**
   * Maximum number of clients that wait for a response over plain HTTP: to a stream, a long poll or a message. Others get
   * 503 (Service Unavailable). `Infinity` disables the limit.
   * @default 10_000
   */
  maxHttpClients?: number | undefined
  /**
   * Maximum number of those of one address. Others get 429 (Too Many Requests). IPv6 addresses count by /64 with
   * `serveTopics`. Behind a proxy that the framework does not trust, all clients have the proxy's address. `Infinity`
   * disables the limit.
   * @default a quarter of `maxHttpClients`
   */
  maxHttpClientsPerAddress?: number | undefined
  /**
   * Maximum size of a message that is published over plain HTTP, in bytes. `Infinity` disables the limit.
   * @default 1_048_576
   */
  maxBodyBytes?: number | undefined
  /**
   * Carries messages to and from other nodes: `redisBackplane()` of `@oneport/redis`, `postgresBackplane()` of
   * `@oneport/postgres`, `clusterBackplane()` of `@oneport/topics/cluster`, `memoryBackplane()` in tests, or
   * your own {@link Backplane}. Use it for these topics only; their `close()` closes it.
   * @default none
   */
  backplane?: Backplane | undefined
  /**
   * Called when the backplane fails to publish a message, to subscribe or unsubscribe, to close, or to report its
   * health. For the last two, `topic` is empty. The sockets of this node still get the message, and a subscription is
   * retried. If the callback throws or rejects, that is logged to stderr.
   * @default nothing
   */
  onBackplaneError?: ((error: unknown, topic: string) => void) | undefined
  /**
   * Called when a socket throws while it is written to, for example if something has replaced its `send`. The other
   * sockets still get their message. If the callback throws or rejects, that is logged to stderr.
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
  readonly history: ((topic: string) => LogLimits | undefined) | undefined
  readonly maxHistoryBytes: number
  readonly maxPresence: number
  readonly maxPublishIds: number
  readonly maxHttpClients: number
  readonly maxHttpClientsPerAddress: number
  readonly maxBodyBytes: number
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
  history: undefined,
  maxHistoryBytes: 268_435_456,
  maxPresence: 100_000,
  maxPublishIds: 250_000,
  maxHttpClients: 10_000,
  maxHttpClientsPerAddress: 2_500,
  maxBodyBytes: 1_048_576,
  backplane: undefined,
  onBackplaneError: () => {},
  onError: () => {}
})

const units = {
  maxBufferedBytes: 'bytes',
  maxTopicLength: 'characters',
  maxTopicsPerSocket: 'topics',
  maxSubscriptions: 'subscriptions',
  maxHistoryBytes: 'bytes',
  maxPresence: 'members',
  maxPublishIds: 'messages',
  maxHttpClients: 'clients',
  maxHttpClientsPerAddress: 'clients',
  maxBodyBytes: 'bytes'
} as const

const historyDefaults: LogLimits = { messages: 1_000, ms: 300_000, bytes: 16_777_216 }

/** @throws TypeError for wrong limits */
function resolveHistory(history: HistoryLimits): LogLimits {
  if (typeof history !== 'object' || history === null) {
    throw expected('createTopics: history', 'an object with messages, ms and bytes, or a function', history)
  }
  checkNames('createTopics: history', history, historyDefaults)
  const given = Object.entries(history).filter(([, value]) => value !== undefined)
  const limits = { ...historyDefaults, ...Object.fromEntries(given) }
  for (const [name, unit] of [
    ['messages', 'messages'],
    ['ms', 'milliseconds'],
    ['bytes', 'bytes']
  ] as const) {
    if (!isCount(limits[name])) {
      throw expected(`createTopics: history.${name}`, `a positive whole number of ${unit}, or Infinity`, limits[name])
    }
  }
  return limits
}

/** Limits for each topic: the same for all, or what the application's function says. */
function historyOf(history: NonNullable<TopicsOptions['history']>): ResolvedOptions['history'] {
  if (typeof history !== 'function') {
    const limits = resolveHistory(history)
    return () => limits
  }
  return (topic) => {
    const limits = history(topic)
    return limits === undefined ? undefined : resolveHistory(limits)
  }
}

const policies: readonly string[] = ['close', 'drop', 'latest'] satisfies SlowPolicy[]

const isCount = (value: unknown): boolean => value === Infinity || (Number.isSafeInteger(value) && Number(value) > 0)

/**
 * Checks options and fills in the defaults.
 * @throws TypeError that names the option, what it expects and what it got
 */
export function resolveOptions(options: TopicsOptions): ResolvedOptions {
  if (typeof options !== 'object' || options === null) throw expected('createTopics: options', 'an object', options)
  checkNames('createTopics', options, defaults)
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  const { history, maxHttpClients = defaults.maxHttpClients } = options
  const resolved: ResolvedOptions = {
    ...defaults,
    maxHttpClientsPerAddress: Math.ceil(maxHttpClients / 4),
    ...Object.fromEntries(given),
    history: history === undefined ? undefined : historyOf(history)
  }
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
  if (backplane !== undefined && history !== undefined && !keeps(backplane)) {
    throw new TypeError('createTopics: history cannot be used with this backplane: it has no append and read')
  }
  for (const name of ['onBackplaneError', 'onError'] as const) {
    if (typeof resolved[name] !== 'function') throw expected(`createTopics: ${name}`, 'a function', resolved[name])
  }
  return resolved
}
