import type { IoRedis, IoRedisCluster } from './client.ts'
import { type Connection, type Events, healthOf } from './connection.ts'

/** Channels in one command where all are subscribed again. */
const channelsAtOnce = 1_000

/**
 * What is under way when the connection is lost is given up. ioredis would send it again, though Redis may have passed it
 * on already. https://github.com/redis/ioredis#auto-reconnect
 */
const atMostOnce = {
  autoResendUnfulfilledCommands: false,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  keyPrefix: ''
}

export function connectIoRedis(client: IoRedis, { onMessage, onError }: Events): Connection {
  const publisher = client.duplicate({ ...atMostOnce, lazyConnect: true })
  // It does subscribe again by itself, but if that fails nobody catches it.
  const subscriber = client.duplicate({ ...atMostOnce, lazyConnect: true, autoResubscribe: false })
  const channels = new Set<string>()

  const subscribeAgain = async (): Promise<void> => {
    const all = [...channels]
    for (let first = 0; first < all.length; first += channelsAtOnce) {
      await subscriber.subscribe(...all.slice(first, first + channelsAtOnce))
    }
  }
  // Where this fails the connection is lost again, and `ready` comes again.
  subscriber.on('ready', () => void subscribeAgain().catch(onError))
  subscriber.on('messageBuffer', (channel, message) => onMessage(channel.toString(), message))
  begin([publisher, subscriber], onError)

  return {
    publish: (channel, message) => publisher.publish(channel, message),
    subscribe: async (channel) => {
      await subscriber.subscribe(channel)
      channels.add(channel)
    },
    unsubscribe: async (channel) => {
      channels.delete(channel)
      await subscriber.unsubscribe(channel)
    },
    health: () => (publisher.status === 'ready' && subscriber.status === 'ready' ? 'up' : 'down'),
    close: () => {
      for (const connection of [publisher, subscriber]) connection.disconnect()
    }
  }
}

export function connectIoRedisCluster(client: IoRedisCluster, { onMessage, onError }: Events): Connection {
  const redisOptions = { ...client.options.redisOptions, ...atMostOnce }
  const common = { lazyConnect: true, keyPrefix: '', enableOfflineQueue: false, redisOptions }
  // With a delay, what was under way is sent again when the connection to a shard is lost.
  const publisher = client.duplicate([], { ...common, retryDelayOnFailover: 0 })
  // It connects to a shard with the first command for it, and refuses those that come meanwhile.
  publisher.on('+node', (node) => void node.connect().catch(() => {}))
  const subscriber = client.duplicate([], { ...common, shardedSubscribers: true })
  subscriber.on('smessageBuffer', (channel, message) => onMessage(channel.toString(), message))
  begin([publisher, subscriber], onError)

  return {
    publish: (channel, message) => publisher.spublish(channel, message),
    subscribe: async (channel) => {
      try {
        await subscriber.ssubscribe(channel)
      } catch (error) {
        // It remembers the channel before it knows, once more each time.
        subscriber.sunsubscribe(channel).catch(() => {})
        throw error
      }
    },
    unsubscribe: (channel) => subscriber.sunsubscribe(channel),
    health: () => {
      if (publisher.status !== 'ready' || subscriber.status !== 'ready') return 'down'
      return healthOf(publisher.nodes('master').map(({ status }) => status === 'ready'))
    },
    close: () => {
      for (const connection of [publisher, subscriber]) connection.disconnect()
    }
  }
}

interface Connectable {
  on(event: 'error' | 'node error' | 'nodeError', listener: (error: unknown) => void): unknown
  connect(): Promise<unknown>
}

/** Connects. What fails is told by `error` too, and ioredis tries again by itself. */
function begin(connections: readonly Connectable[], onError: Events['onError']): void {
  for (const connection of connections) {
    // The others are those of the nodes of a Cluster.
    for (const event of ['error', 'node error', 'nodeError'] as const) connection.on(event, onError)
    connection.connect().catch(() => {})
  }
}
