import { begin } from './begin.ts'
import type { IoRedis, IoRedisCluster } from './client.ts'
import { type Connection, type Events, healthOf } from './connection.ts'
import { ClusterSubscriber } from './subscriber.ts'

/**
 * How often to ask which shard has which slots, in milliseconds. When a slot moves, ioredis asks once, and the node that
 * answers may not know yet: then the topics of the slot would stay where nothing is sent any more.
 */
const slotsMs = 5_000

/** Channels per command when all are subscribed again. */
const channelsAtOnce = 1_000

/**
 * Drops pending commands when the connection is lost. By default, ioredis would send them again, and Redis may have
 * passed the messages on already. https://github.com/redis/ioredis#auto-reconnect
 */
const atMostOnce = {
  autoResendUnfulfilledCommands: false,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  keyPrefix: ''
}

export function connectIoRedis(client: IoRedis, { onMessage, onLost, onError }: Events): Connection {
  const publisher = client.duplicate({ ...atMostOnce, lazyConnect: true })
  // With `autoResubscribe`, ioredis subscribes again but does not catch a failure.
  const subscriber = client.duplicate({ ...atMostOnce, lazyConnect: true, autoResubscribe: false })
  const channels = new Set<string>()

  const subscribeAgain = async (): Promise<void> => {
    const all = [...channels]
    for (let first = 0; first < all.length; first += channelsAtOnce) {
      const some = all.slice(first, first + channelsAtOnce)
      await subscriber.subscribe(...some)
      for (const channel of some) onLost(channel)
    }
  }
  // If this fails, the connection has been lost again, and the next `ready` event retries.
  subscriber.on('ready', () => void subscribeAgain().catch(onError))
  subscriber.on('messageBuffer', (channel, message) => onMessage(channel.toString(), message))
  begin([publisher, subscriber], onError)

  return {
    isCluster: false,
    publish: (channel, message) => publisher.publish(channel, message),
    command: (_key, words) => publisher.callBuffer(...words),
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

export function connectIoRedisCluster(client: IoRedisCluster, events: Events): Connection {
  const redisOptions = { ...client.options.redisOptions, ...atMostOnce }
  // With delays, commands are sent again: messages, when the connection to a shard is lost, and what subscribes and
  // unsubscribes, in another order.
  const atOnce = { retryDelayOnFailover: 0, retryDelayOnClusterDown: 0 }
  const common = { lazyConnect: true, keyPrefix: '', enableOfflineQueue: false, redisOptions, ...atOnce }
  const publisher = client.duplicate([], common)
  // Otherwise it connects to a shard on the first command for it, and rejects commands until then.
  publisher.on('+node', (node) => void node.connect().catch(() => {}))
  const subscriber = new ClusterSubscriber(
    (clusterRetryStrategy) =>
      client.duplicate([], {
        ...common,
        shardedSubscribers: true,
        slotsRefreshInterval: client.options.slotsRefreshInterval ?? slotsMs,
        clusterRetryStrategy
      }),
    client.options.clusterRetryStrategy,
    events
  )
  begin([publisher], events.onError)

  return {
    isCluster: true,
    publish: (channel, message) => publisher.spublish(channel, message),
    command: (_key, words) => publisher.callBuffer(...words),
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
