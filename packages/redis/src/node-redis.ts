import { setTimeout as sleep } from 'node:timers/promises'
import type { NodeRedis, NodeRedisCluster, NodeRedisMaster, NodeRedisPubSub } from './client.ts'
import { type Connection, type Events, healthOf } from './connection.ts'
import { insist } from './insist.ts'
import { show } from './show.ts'
import { slotOf } from './slot.ts'
import { Turns } from './turns.ts'

/** Delay before the first connection is retried, in milliseconds. Once connected, node-redis reconnects itself. */
const reconnectMs = 500

/** Time that a shard has to answer a command to subscribe or unsubscribe, in milliseconds. */
const turnMs = 5_000

/** Replies have Buffers in place of strings, which RESP marks with '$'. */
const asBuffers = { typeMapping: { ['$'.charCodeAt(0)]: Buffer } }

/** Overrides options of the application's client: no key prefix, no cache, and no timer for each command. */
const common = { keyPrefix: undefined, clientSideCache: undefined, commandOptions: { timeout: undefined } }

export function connectNodeRedis(client: NodeRedis, { onMessage, onLost, onError }: Events): Connection {
  const publisher = client.duplicate({ ...common, disableOfflineQueue: true })
  const subscriber = client.duplicate(common)
  const ends = [publisher, subscriber].map((connection) => keepConnecting(connection, onError))
  const listener = (message: Buffer, channel: Buffer): void => onMessage(channel.toString(), message)
  const channels = new Set<string>()
  // node-redis has then subscribed again.
  subscriber.on('ready', () => {
    for (const channel of channels) onLost(channel)
  })

  return {
    isCluster: false,
    publish: (channel, message) => publisher.publish(channel, message),
    command: (_key, words) => publisher.sendCommand(words, asBuffers),
    subscribe: (channel) => {
      channels.add(channel)
      return subscriber.subscribe(channel, listener, true)
    },
    unsubscribe: (channel) => {
      channels.delete(channel)
      return subscriber.unsubscribe(channel)
    },
    // Topics do not subscribe while this is 'down', so node-redis queues no subscriptions.
    health: () => (publisher.isReady && subscriber.isReady ? 'up' : 'down'),
    close: () => {
      for (const end of ends) end()
    }
  }
}

export function connectNodeRedisCluster(client: NodeRedisCluster, { onMessage, onLost, onError }: Events): Connection {
  // Otherwise one unreachable shard would delay all others at the start.
  const overrides = { ...common, minimizeConnections: true }
  const publisher = client.duplicate(overrides)
  const subscriber = client.duplicate(overrides)
  const ends = [
    keepConnecting(publisher, onError, () => {
      for (const master of publisher.masters) publisher.nodeClient(master).catch(onError)
    }),
    keepConnecting(subscriber, onError)
  ]
  const listener = (message: Buffer, channel: Buffer): void => onMessage(channel.toString(), message)
  // node-redis destroys the connection to a shard with its last channel, even while another channel is being added, and
  // then never settles that subscription.
  const turns = new Turns(turnMs)
  const channels = new Set<string>()

  const masterOf = ({ slots }: NodeRedisCluster, channel: string) => slots[slotOf(channel)]?.master
  const isAway = awayTest(turnMs)
  const refuse = (channel: string): Promise<never> =>
    Promise.reject(new Error(`The shard of the channel ${show(channel)} is not connected.`))

  const sSubscribe = subscriber.sSubscribe.bind(subscriber)
  const subscribe = (channel: string): Promise<void> =>
    turns.take('subscribe', async () => {
      if (isAway(masterOf(subscriber, channel))) await refuse(channel)
      await sSubscribe(channel, listener, true)
      watch(masterOf(subscriber, channel)?.pubSub?.client)
    })
  const subscribeAgain = (channel: string): Promise<void> =>
    insist(
      async () => {
        await subscribe(channel)
        // If node-redis was about to subscribe too, the above has not waited for that, but this is answered after it.
        await masterOf(subscriber, channel)?.pubSub?.client.ping()
        onLost(channel)
      },
      () => channels.has(channel),
      onError
    )
  const watched = new WeakSet<NodeRedisPubSub>()
  /** Notices when the connection to a shard is made again, and when a channel moves to another shard. */
  const watch = (shard: NodeRedisPubSub | undefined): void => {
    if (shard === undefined || watched.has(shard)) return
    watched.add(shard)
    shard.on('ready', () => {
      for (const channel of channels) if (masterOf(subscriber, channel)?.pubSub?.client === shard) onLost(channel)
    })
    shard.on('sharded-channel-moved', (channel) => void subscribeAgain(String(channel)))
  }
  // When slots have moved, node-redis finds them and subscribes again with these two functions, and does not catch
  // their errors. That would end the process and lose the channels.
  subscriber.sSubscribe = subscribeAgain
  const slots = subscriber._slots
  const rediscover = slots?.rediscover?.bind(slots)
  if (slots && rediscover) slots.rediscover = (...nodes) => rediscover(...nodes).catch(onError)
  subscriber.on('sharded-channel-moved-error', (error, channel) => {
    onError(error)
    void subscribeAgain(channel)
  })

  /** Whether a command for the shard of a channel or a key would be sent at once. */
  const isReady = (channel: string): boolean => {
    const master = masterOf(publisher, channel)
    // A new shard.
    if (master !== undefined && master.client === undefined) publisher.nodeClient(master).catch(onError)
    return master?.client?.isReady === true
  }

  return {
    isCluster: true,
    publish: (channel, message) => (isReady(channel) ? publisher.sPublish(channel, message) : refuse(channel)),
    command: (key, words) => (isReady(key) ? publisher.sendCommand(key, false, words, asBuffers) : refuse(key)),
    subscribe: async (channel) => {
      channels.add(channel)
      try {
        await subscribe(channel)
      } catch (error) {
        channels.delete(channel)
        throw error
      }
    },
    unsubscribe: (channel) => {
      channels.delete(channel)
      return turns.take('unsubscribe', () =>
        isAway(masterOf(subscriber, channel)) ? refuse(channel) : subscriber.sUnsubscribe(channel)
      )
    },
    health: () => {
      if (!publisher.isReady || !subscriber.isReady) return 'down'
      return healthOf([
        ...publisher.masters.map(({ client }) => client?.isReady === true),
        ...subscriber.masters.flatMap(({ pubSub }) => (pubSub === undefined ? [] : [pubSub.client.isReady]))
      ])
    },
    close: () => {
      channels.clear()
      for (const end of ends) end()
    }
  }
}

/**
 * Returns a function that checks whether the subscribed connection to a shard is lost, or was not established in time.
 * Commands that wait for it would pile up.
 */
function awayTest(patienceMs: number): (master: NodeRedisMaster | undefined) => boolean {
  const begun = new WeakMap<object, number>()
  return (master) => {
    if (master === undefined) return true
    if (master.pubSub === undefined || master.pubSub.client.isReady) return false
    const { client, connectPromise } = master.pubSub
    if (connectPromise === undefined) return true
    const now = performance.now()
    const since = begun.get(client) ?? now
    begun.set(client, since)
    return now - since > patienceMs
  }
}

interface Connectable {
  on(event: 'error' | 'node-error', listener: (error: unknown) => void): unknown
  connect(): Promise<unknown>
  destroy(): void
}

/**
 * Retries until it is connected.
 * @returns a function that stops this and closes the connection
 */
function keepConnecting(connection: Connectable, onError: Events['onError'], onConnected = () => {}): () => void {
  let isEnded = false
  // Emitted for errors of one node of a Cluster.
  connection.on('error', onError)
  connection.on('node-error', onError)

  const tryToConnect = async (): Promise<void> => {
    while (!isEnded) {
      try {
        await connection.connect()
        // node-redis keeps a connection that was still being established when `destroy()` was called.
        return isEnded ? connection.destroy() : onConnected()
      } catch (error) {
        if (isEnded) return
        onError(error)
        await sleep(reconnectMs, undefined, { ref: false })
      }
    }
  }
  void tryToConnect()

  return () => {
    isEnded = true
    connection.destroy()
  }
}
