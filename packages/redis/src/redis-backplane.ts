import { setTimeout as sleep } from 'node:timers/promises'
import type { Backplane } from '@oneport/topics'
import { connect } from './connect.ts'
import { Context } from './context.ts'
import { type RedisBackplaneOptions, resolveOptions } from './options.ts'
import { Pending } from './pending.ts'
import { tell } from './told.ts'

/** Time that pending messages have when the backplane is closed, in milliseconds. */
const closeMs = 1_000

/** Channel names are UTF-8, where every lone surrogate would become the same replacement character. */
const loneSurrogate = /\p{Surrogate}/u

/**
 * Creates a backplane on Redis 7 or Valkey: pub/sub on one server, sharded pub/sub on a Cluster. Delivery is at most
 * once. It opens two connections (on a Cluster, two to each shard) at once, and reconnects when they are lost.
 * @throws TypeError for an invalid option
 */
export function redisBackplane(options: RedisBackplaneOptions): Backplane {
  const { client, prefix, maxPendingBytes, timeoutMs, onError } = resolveOptions(options)
  const receivers = new Map<string, Parameters<Backplane['subscribe']>[1]>()
  // Connections and timers are shared, so they must not run in the AsyncLocalStorage context of one publisher.
  const context = new Context()
  const pending = new Pending(maxPendingBytes, timeoutMs, context)
  let isClosed = false

  const connection = connect(client, {
    onMessage(channel, message) {
      const topic = channel.slice(prefix.length)
      receivers.get(topic)?.(message, topic)
    },
    // An attempt to connect may still fail after `close()`.
    onError: (error) => {
      if (!isClosed) context.runInAsyncScope(tell, undefined, onError, error)
    }
  })
  if (connection === undefined) {
    throw new TypeError(
      'redisBackplane: client: expected a client of node-redis 6 or ioredis 6; got one that is neither'
    )
  }

  const channelOf = (topic: string): string => {
    if (isClosed) throw new Error('The backplane is closed.')
    if (loneSurrogate.test(topic)) throw new Error('The topic has a lone surrogate, so it cannot name a channel.')
    return prefix + topic
  }

  return {
    async publish(topic, message) {
      const channel = channelOf(topic)
      await pending.run(channel.length + message.length, async () => connection.publish(channel, message))
    },

    async subscribe(topic, receive) {
      const channel = channelOf(topic)
      // Messages may arrive before the answer.
      receivers.set(topic, receive)
      try {
        await connection.subscribe(channel)
      } catch (error) {
        receivers.delete(topic)
        throw error
      }
    },

    async unsubscribe(topic) {
      await connection.unsubscribe(channelOf(topic))
      receivers.delete(topic)
    },

    health() {
      if (isClosed) return 'down'
      const health = connection.health()
      return health === 'up' && pending.isOverdue ? 'partial' : health
    },

    async close() {
      if (isClosed) return
      isClosed = true
      await Promise.race([pending.empty(), sleep(closeMs, undefined, { ref: false })])
      connection.close()
    }
  }
}
