import { begin } from './begin.ts'
import type { IoRedis, IoRedisCluster } from './client.ts'
import { type Connection, type Events, healthOf } from './connection.ts'
import { ClusterSubscriber } from './subscriber.ts'

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
  const subscriber = new ClusterSubscriber(
    (clusterRetryStrategy) => client.duplicate([], { ...common, shardedSubscribers: true, clusterRetryStrategy }),
    client.options.clusterRetryStrategy,
    { onMessage, onError }
  )
  begin([publisher], onError)

  return {
    publish: (channel, message) => publisher.spublish(channel, message),
    subscribe: (channel) => subscriber.subscribe(channel),
    unsubscribe: (channel) => subscriber.unsubscribe(channel),
    health: () => {
      if (publisher.status !== 'ready' || !subscriber.isReady) return 'down'
      return healthOf(publisher.nodes('master').map(({ status }) => status === 'ready'))
    },
    close: () => {
      publisher.disconnect()
      subscriber.close()
    }
  }
}
