import { setTimeout as sleep } from 'node:timers/promises'
import type { Backplane } from '@oneport/topics'
import { connect } from './connect.ts'
import { Context } from './context.ts'
import { type RedisBackplaneOptions, resolveOptions } from './options.ts'
import { Pending } from './pending.ts'
import { tell } from './told.ts'

/** Milliseconds that messages under way have when the backplane is closed. */
const closeMs = 1_000

/** A channel is named in UTF-8, where all of these would become the same one. */
const loneSurrogate = /\p{Surrogate}/u

/**
 * A backplane on Redis 7 or Valkey: pub/sub on one server, sharded pub/sub on a Cluster. Delivery is at most once. It
 * connects at once, with two connections of its own (on a Cluster two to each shard), and as often as it has to.
 * @throws TypeError for a wrong option
 */
export function redisBackplane(options: RedisBackplaneOptions): Backplane {
  const { client, prefix, maxPendingBytes, timeoutMs, onError } = resolveOptions(options)
  const receivers = new Map<string, Parameters<Backplane['subscribe']>[1]>()
  // Connections and timers belong to all, so nothing of theirs runs in the AsyncLocalStorage of one who publishes.
  const context = new Context()
  const pending = new Pending(maxPendingBytes, timeoutMs, context)
  let isClosed = false

  const connection = connect(client, {
    onMessage(channel, message) {
      const topic = channel.slice(prefix.length)
      receivers.get(topic)?.(message, topic)
    },
    // An attempt to connect may end after it was closed.
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
    if (loneSurrogate.test(topic))
      throw new Error('The topic is no well-formed text, so no channel can be named after it.')
    return prefix + topic
  }

  return {
    async publish(topic, message) {
      const channel = channelOf(topic)
      await pending.run(channel.length + message.length, async () => connection.publish(channel, message))
    },

    async subscribe(topic, receive) {
      const channel = channelOf(topic)
      // Messages may come before the answer.
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
