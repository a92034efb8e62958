import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { HistoryBackplane, KeptLimits, Position } from '@oneport/topics'
import { connect } from './connect.ts'
import { Context } from './context.ts'
import { Line } from './line.ts'
import { type RedisBackplaneOptions, resolveOptions } from './options.ts'
import { Pending } from './pending.ts'
import { mark, openPlaced, placeOf, unplaced } from './placed.ts'
import { Script } from './script.ts'
import { appendScript, readScript } from './scripts.ts'
import { slotOf, tagOf } from './slot.ts'
import { tell } from './told.ts'

/** Time that pending messages have when the backplane is closed, in milliseconds. */
const closeMs = 1_000

/** How long the name of a message is remembered, in milliseconds: a minute, and what the last one may take to arrive. */
const namedMs = 90_000

/** Least time to remember the epoch of a topic without messages, in milliseconds: a new one would mean a gap. */
const epochMs = 86_400_000

/** Most histories that are read at once. */
const mostReads = 64

/** Channel names are UTF-8, where every lone surrogate would become the same replacement character. */
const loneSurrogate = /\p{Surrogate}/u

/**
 * Creates a backplane on Redis 7 or Valkey: pub/sub on one server, sharded pub/sub on a Cluster. Delivery is at most
 * once. For topics with a history, each topic also has a stream, from which nodes read what they have missed. It opens two connections (on a Cluster, two to each shard) at once, and reconnects when they are lost.
 * @throws TypeError for an invalid option
 */
export function redisBackplane(options: RedisBackplaneOptions): HistoryBackplane {
  const { client, prefix, maxPendingBytes, timeoutMs, onError } = resolveOptions(options)
  const receivers = new Map<string, Receiver>()
  // Connections and timers are shared, so they must not run in the AsyncLocalStorage context of one publisher.
  const context = new Context()
  const pending = new Pending(maxPendingBytes, timeoutMs, context)
  const [append, read] = [new Script(appendScript), new Script(readScript)]
  const reads = new Line(mostReads)
  let isClosed = false

  const connection = connect(client, {
    onMessage(channel, message) {
      // A connection that is being closed may still read.
      if (isClosed) return
      const topic = channel.slice(prefix.length)
      const placed = openPlaced(message)
      receivers.get(topic)?.receive(placed.message, topic, placed.position)
    },
    onLost(channel) {
      const topic = channel.slice(prefix.length)
      receivers.get(topic)?.lost?.(topic)
    },
    // An attempt to connect may still fail after `close()`.
    onError: (error) => {
      for (const script of [append, read]) script.forget()
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

  /** Runs a script on the keys of a topic, whose names are not those of another topic, whatever it is called. */
  const run = (
    script: Script,
    topic: string,
    name: string | undefined,
    args: (string | Buffer)[]
  ): Promise<unknown> => {
    const slot = connection.isCluster ? slotOf(prefix + topic) : 0
    const tag = connection.isCluster ? tagOf(slot) : ''
    const keyOf = (kind: string): string => `${tag}${prefix}${kind}:${topic}`
    const keys = [keyOf('topic'), keyOf('log'), ...(name === undefined ? [] : [keyOf(`id:${hashOf(name)}`)])]
    return script.run(connection, slot, keys, [randomBytes(epochBytes).toString('hex'), ...args])
  }

  return {
    async publish(topic, message) {
      const channel = channelOf(topic)
      await pending.run(channel.length + message.length, async () => connection.publish(channel, unplaced(message)))
    },

    async append(topic, message, limits, name) {
      const channel = channelOf(topic)
      const command = connection.isCluster ? 'SPUBLISH' : 'PUBLISH'
      const args = [...wordsOf(limits), message, String(namedMs), command, channel, mark]
      const place = placeOf(
        String(await pending.run(channel.length + message.length, () => run(append, topic, name, args)))
      )
      if (place === undefined) throw new Error('Redis has answered with something else than an epoch and an offset.')
      return place
    },

    async read(topic, after, limits) {
      const channel = channelOf(topic)
      const args = [...wordsOf(limits), after?.epoch ?? '', String(after?.offset ?? 0)]
      const reply = await pending.run(channel.length, () => reads.run(() => run(read, topic, undefined, args)))
      const [epoch, last, ...messages] = reply as [Buffer, Buffer, ...Buffer[]]
      return { epoch: epoch.toString(), last: Number(last), messages }
    },

    async subscribe(topic, receive, lost) {
      const channel = channelOf(topic)
      // Messages may arrive before the answer.
      receivers.set(topic, { receive, lost })
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

interface Receiver {
  readonly receive: (message: Buffer, topic: string, position?: Position) => void
  readonly lost: ((topic: string) => void) | undefined
}

/** Length of the random bytes that name an epoch. */
const epochBytes = 8

/** Of one length and without separators, whatever the name is. */
const hashOf = (name: string): string => createHash('sha256').update(name, 'utf16le').digest('base64url')

/** Limits for a script, which has no `Infinity`. */
function wordsOf({ messages, ms, bytes }: KeptLimits): string[] {
  return [messages, ms, bytes, Math.max(ms, epochMs)].map((limit) => (limit === Infinity ? '1e300' : String(limit)))
}
