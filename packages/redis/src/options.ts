import type { RedisClient } from './client.ts'
import { pages } from './docs.ts'
import { nearMiss, numberIn } from './near-miss.ts'
import { show } from './show.ts'

/** Options of `redisBackplane`. */
export interface RedisBackplaneOptions {
  /** A client of node-redis or ioredis, connected or not; see {@link RedisClient}. A Cluster uses sharded pub/sub. */
  client: RedisClient
  /**
   * Prefix of the names of channels and keys. Only nodes with the same prefix get each other's messages.
   * @default 'oneport:'
   */
  prefix?: string | undefined
  /**
   * Bytes of messages that Redis may not have acknowledged yet, including 3 KiB of overhead for each. Further messages
   * fail; a single message may be larger. `Infinity` disables the limit.
   * @default 33_554_432
   */
  maxPendingBytes?: number | undefined
  /**
   * Time that Redis has to acknowledge a message before it counts as failed, in milliseconds.
   * @default 5_000
   */
  timeoutMs?: number | undefined
  /**
   * Called with each error of a connection, such as a failed attempt to connect. The client keeps trying. If the
   * callback throws or rejects, that is logged to stderr.
   * @default nothing
   */
  onError?: ((error: unknown) => void) | undefined
}

export type ResolvedOptions = {
  readonly [Name in keyof RedisBackplaneOptions]-?: NonNullable<RedisBackplaneOptions[Name]>
}

const defaults = Object.freeze({
  client: undefined as RedisClient | undefined,
  prefix: 'oneport:',
  maxPendingBytes: 33_554_432,
  timeoutMs: 5_000,
  onError: () => {}
})

const maxTimeoutMs = 2_147_483_647

/**
 * Checks options and fills in the defaults.
 * @throws TypeError that names the option, what it expects and what it got
 */
export function resolveOptions(options: RedisBackplaneOptions): ResolvedOptions {
  if (typeof options !== 'object' || options === null) throw expected('options', 'an object', options)
  if (typeof (options as Partial<RedisClient>).duplicate === 'function') {
    throw new TypeError('redisBackplane: options: expected an object; got a client; did you mean { client }?')
  }
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(defaults, name))
  if (unknown !== undefined) {
    const near = nearMiss(unknown, Object.keys(defaults))
    const hint = near === undefined ? `see ${pages}/redis.md` : `did you mean ${near}?`
    throw new TypeError(`redisBackplane: unknown option ${show(unknown)}; ${hint}`)
  }
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  const resolved: ResolvedOptions = { ...defaults, client: options.client, ...Object.fromEntries(given) }
  const { client, prefix, maxPendingBytes, timeoutMs, onError } = resolved
  if (typeof client?.duplicate !== 'function') throw expected('client', 'a client of node-redis or ioredis', client)
  if (typeof prefix !== 'string') throw expected('prefix', 'a string', prefix)
  if (maxPendingBytes !== Infinity && !(Number.isSafeInteger(maxPendingBytes) && maxPendingBytes > 0)) {
    throw expected('maxPendingBytes', 'a positive whole number of bytes, or Infinity', maxPendingBytes)
  }
  if (!(Number.isSafeInteger(timeoutMs) && timeoutMs > 0 && timeoutMs <= maxTimeoutMs)) {
    throw expected('timeoutMs', `a whole number of milliseconds from 1 to ${maxTimeoutMs}`, timeoutMs)
  }
  if (typeof onError !== 'function') throw expected('onError', 'a function', onError)
  return resolved
}

function expected(what: string, wanted: string, got: unknown): TypeError {
  const near = wanted.includes('number') ? numberIn(got) : undefined
  const hint = near === undefined ? '' : `; did you mean ${near}?`
  return new TypeError(`redisBackplane: ${what}: expected ${wanted}; got ${show(got)}${hint}`)
}
