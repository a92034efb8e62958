/**
 * A client of node-redis 6 (`createClient`, `createCluster`) or ioredis 6 (`new Redis`, `new Cluster`). It is only a
 * template: the backplane opens its own connections with `duplicate()`, and does not use, change or close this one.
 */
export interface RedisClient {
  /** Creates a client with the same options. */
  duplicate(...args: never[]): unknown
  /** Publishes a message. */
  publish(...args: never[]): unknown
  /** Adds a listener. */
  on(...args: never[]): unknown
}

/** What the clients have in common. Each emits some of the events. */
interface Emitter {
  on(event: Fault, listener: (error: unknown) => void): unknown
  connect(): Promise<unknown>
}

type Fault = 'error' | 'node-error' | 'node error' | 'nodeError'

type Words = readonly (string | Buffer)[]

/** https://github.com/redis/node-redis/blob/master/docs/command-options.md */
interface CommandOptions {
  readonly typeMapping: Readonly<Record<number, unknown>>
}

type Listener = (message: Buffer, channel: Buffer) => void

/** https://github.com/redis/node-redis/blob/master/docs/pub-sub.md */
export interface NodeRedis extends Emitter {
  readonly isReady: boolean
  duplicate(overrides: object): NodeRedis
  on(event: 'ready', listener: () => void): unknown
  on(event: Fault, listener: (error: unknown) => void): unknown
  publish(channel: string, message: Buffer): Promise<unknown>
  sendCommand(words: Words, options: CommandOptions): Promise<unknown>
  subscribe(channel: string, listener: Listener, isBinary: true): Promise<void>
  unsubscribe(channel: string): Promise<void>
  destroy(): void
}

/** https://github.com/redis/node-redis/blob/master/docs/clustering.md */
export interface NodeRedisCluster extends Emitter {
  readonly isReady: boolean
  readonly masters: readonly NodeRedisMaster[]
  readonly slots: readonly ({ readonly master: NodeRedisMaster } | undefined)[]
  /** Private to node-redis, so it may be renamed. */
  readonly _slots?: { rediscover?: (...nodes: never[]) => Promise<void> }
  on(event: Fault, listener: (error: unknown) => void): unknown
  on(event: 'sharded-channel-moved-error', listener: (error: unknown, channel: string) => void): unknown
  duplicate(overrides: object): NodeRedisCluster
  nodeClient(master: NodeRedisMaster): Promise<unknown>
  sPublish(channel: string, message: Buffer): Promise<unknown>
  sendCommand(firstKey: string, isReadonly: false, words: Words, options: CommandOptions): Promise<unknown>
  sSubscribe: (channel: string, listener: Listener, isBinary: true) => Promise<void>
  sUnsubscribe(channel: string): Promise<void>
  destroy(): void
}

export interface NodeRedisMaster {
  readonly client?: { readonly isReady: boolean } | undefined
  readonly pubSub?:
    | { readonly client: NodeRedisPubSub; readonly connectPromise?: Promise<unknown> | undefined }
    | undefined
}

export interface NodeRedisPubSub {
  readonly isReady: boolean
  on(event: 'ready', listener: () => void): unknown
  on(event: 'sharded-channel-moved', listener: (channel: Buffer | string) => void): unknown
  ping(): Promise<unknown>
}

/** https://github.com/redis/ioredis#pubsub */
export interface IoRedis extends Emitter {
  readonly isCluster: false
  readonly status: string
  duplicate(overrides: object): IoRedis
  on(event: 'ready', listener: () => void): unknown
  on(event: 'messageBuffer', listener: (channel: Buffer, message: Buffer) => void): unknown
  on(event: Fault, listener: (error: unknown) => void): unknown
  publish(channel: string, message: Buffer): Promise<unknown>
  callBuffer(...words: Words): Promise<unknown>
  subscribe(...channels: string[]): Promise<unknown>
  unsubscribe(channel: string): Promise<unknown>
  disconnect(): void
}

/**
 * Returns the delay before the next attempt to connect, in milliseconds; anything but a number gives up.
 * https://github.com/redis/ioredis#cluster
 */
export type ClusterRetryStrategy = (attempts: number, reason?: Error) => unknown

/** https://github.com/redis/ioredis#sharded-pubsub */
export interface IoRedisCluster extends Emitter {
  readonly isCluster: true
  readonly status: string
  readonly options: {
    readonly redisOptions?: object | undefined
    readonly clusterRetryStrategy?: ClusterRetryStrategy | undefined
    readonly slotsRefreshInterval?: number | undefined
  }
  duplicate(nodes: readonly never[], overrides: object): IoRedisCluster
  nodes(role: 'master'): readonly { readonly status: string }[]
  on(event: 'ready' | 'subscribersReady', listener: () => void): unknown
  on(event: '+node', listener: (node: { connect(): Promise<unknown> }) => void): unknown
  on(event: 'smessageBuffer', listener: (channel: Buffer, message: Buffer) => void): unknown
  on(event: Fault, listener: (error: unknown) => void): unknown
  spublish(channel: string, message: Buffer): Promise<unknown>
  callBuffer(...words: Words): Promise<unknown>
  ssubscribe(channel: string): Promise<unknown>
  sunsubscribe(channel: string): Promise<unknown>
  disconnect(): void
}

const has = (value: object, name: string, type: 'function' | 'boolean' | 'string'): boolean =>
  typeof (value as Record<string, unknown>)[name] === type

export const isNodeRedis = (client: object): client is NodeRedis =>
  has(client, 'isReady', 'boolean') && has(client, 'destroy', 'function') && !has(client, 'nodeClient', 'function')

export const isNodeRedisCluster = (client: object): client is NodeRedisCluster =>
  has(client, 'sSubscribe', 'function') && has(client, 'nodeClient', 'function')

export const isIoRedis = (client: object): client is IoRedis =>
  has(client, 'status', 'string') && (client as IoRedis).isCluster === false

export const isIoRedisCluster = (client: object): client is IoRedisCluster =>
  has(client, 'ssubscribe', 'function') && (client as IoRedisCluster).isCluster === true
