import { pages } from './docs.ts'
import { expected } from './expected.ts'
import { checkSchema } from './identifier.ts'
import { nearMiss } from './near-miss.ts'
import { show } from './show.ts'

/**
 * Where the server is and how to log in: what `new Client()` of `pg` takes. These are the most common ones.
 * https://node-postgres.com/apis/client
 */
export interface PostgresConnection {
  /** A URL, such as `postgresql://user:password@host:5432/database`. */
  connectionString?: string | undefined
  /**
   * Name or address of the server, or the folder of its Unix socket.
   * @default 'localhost'
   */
  host?: string | undefined
  /**
   * TCP port.
   * @default 5432
   */
  port?: number | undefined
  /** Name of the database. By default that of the user. */
  database?: string | undefined
  /** Name of the role that logs in. By default that of the process's user. */
  user?: string | undefined
  /** Its password, or a function that returns it, such as one that fetches a token. */
  password?: string | (() => string | Promise<string>) | undefined
  /**
   * `true` for TLS, or options of `tls.connect()`.
   * @default false
   */
  ssl?: boolean | object | undefined
}

/** A `Pool` of `pg`. It is only a template: its options are used, and it is not used, changed or closed itself. */
export interface PostgresPool {
  /** What the pool was created with. */
  readonly options: object
}

/** Options of `postgresBackplane`. One of `connection` and `pool` is required. */
export interface PostgresBackplaneOptions {
  /**
   * Where the server is. The backplane opens three connections of its own, and they must go to the server itself or
   * through a pooler in session mode: others cannot `LISTEN`.
   */
  connection?: PostgresConnection | string | undefined
  /** A pool that goes to the same server; see {@link PostgresPool}. */
  pool?: PostgresPool | undefined
  /**
   * The schema that the tables are in, and the start of each channel's name. Only nodes with the same schema get each
   * other's messages. Up to 50 lower-case letters, digits and `_`.
   * @default 'oneport'
   */
  schema?: string | undefined
  /**
   * Whether to create the schema if it is missing. With `false`, create it yourself with {@link postgresSchema}.
   * @default true
   */
  createSchema?: boolean | undefined
  /**
   * Bytes of messages that PostgreSQL may not have acknowledged yet, including 2 KiB of overhead for each. Further
   * messages fail; a single message may be larger. `Infinity` disables the limit.
   * @default 33_554_432
   */
  maxPendingBytes?: number | undefined
  /**
   * Time that PostgreSQL has to accept a connection or to answer a query before the connection is closed and opened
   * again, in milliseconds.
   * @default 5_000
   */
  timeoutMs?: number | undefined
  /**
   * Called with each error of a connection, such as a failed attempt to connect. The backplane keeps trying. If the
   * callback throws or rejects, that is logged to stderr.
   * @default nothing
   */
  onError?: ((error: unknown) => void) | undefined
}

export interface ResolvedOptions {
  readonly connection: PostgresConnection
  readonly schema: string
  readonly createSchema: boolean
  readonly maxPendingBytes: number
  readonly timeoutMs: number
  readonly onError: (error: unknown) => void
}

const defaults = Object.freeze({
  connection: undefined as PostgresConnection | string | undefined,
  pool: undefined as PostgresPool | undefined,
  schema: 'oneport',
  createSchema: true,
  maxPendingBytes: 33_554_432,
  timeoutMs: 5_000,
  onError: () => {}
})

const maxTimeoutMs = 2_147_483_647

/**
 * Checks options and fills in the defaults.
 * @throws TypeError that names the option, what it expects and what it got
 */
export function resolveOptions(options: PostgresBackplaneOptions): ResolvedOptions {
  if (typeof options !== 'object' || options === null) throw expected('options', 'an object', options)
  if (isPool(options)) {
    throw new TypeError('postgresBackplane: options: expected an object; got a pool; did you mean { pool }?')
  }
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(defaults, name))
  if (unknown !== undefined) {
    const near = nearMiss(unknown, Object.keys(defaults))
    const hint = near === undefined ? `see ${pages}/postgres.md` : `did you mean ${near}?`
    throw new TypeError(`postgresBackplane: unknown option ${show(unknown)}; ${hint}`)
  }
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  const { schema, createSchema, maxPendingBytes, timeoutMs, onError } = {
    ...defaults,
    ...Object.fromEntries(given)
  } as Required<PostgresBackplaneOptions> & typeof defaults
  if (typeof createSchema !== 'boolean') throw expected('createSchema', 'a boolean', createSchema)
  if (maxPendingBytes !== Infinity && !(Number.isSafeInteger(maxPendingBytes) && maxPendingBytes > 0)) {
    throw expected('maxPendingBytes', 'a positive whole number of bytes, or Infinity', maxPendingBytes)
  }
  if (!(Number.isSafeInteger(timeoutMs) && timeoutMs > 0 && timeoutMs <= maxTimeoutMs)) {
    throw expected('timeoutMs', `a whole number of milliseconds from 1 to ${maxTimeoutMs}`, timeoutMs)
  }
  if (typeof onError !== 'function') throw expected('onError', 'a function', onError)
  const connection = connectionOf(options)
  return { connection, schema: checkSchema(schema), createSchema, maxPendingBytes, timeoutMs, onError }
}

const isPool = (value: object): value is PostgresPool =>
  typeof (value as Partial<PostgresPool>).options === 'object' && 'totalCount' in value

function connectionOf({ connection, pool }: PostgresBackplaneOptions): PostgresConnection {
  if (pool !== undefined) {
    if (connection !== undefined) throw new TypeError('postgresBackplane: expected connection or pool; got both')
    if (typeof pool !== 'object' || pool === null || !isPool(pool)) throw expected('pool', 'a Pool of pg', pool)
    // A pool hides its password from `Object.keys()`.
    const { password } = pool.options as PostgresConnection
    return { ...pool.options, password }
  }
  if (typeof connection === 'string') return { connectionString: connection }
  if (typeof connection === 'object' && connection !== null) return connection
  throw expected('connection', 'a URL or an object, or a pool instead', connection)
}
