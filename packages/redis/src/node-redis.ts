import { setTimeout as sleep } from 'node:timers/promises'
import type { NodeRedis, NodeRedisCluster, NodeRedisMaster } from './client.ts'
import { type Connection, type Events, healthOf } from './connection.ts'
import { insist } from './insist.ts'
import { show } from './show.ts'
import { slotOf } from './slot.ts'
import { Turns } from './turns.ts'

/** Milliseconds until the first connection is tried again. Later ones are made again by node-redis itself. */
const reconnectMs = 500

/** Milliseconds that a shard has to answer a command to subscribe. */
const turnMs = 5_000

/** Our own: no prefix of keys, no cache, and no timer for each command. */
const common = { keyPrefix: undefined, clientSideCache: undefined, commandOptions: { timeout: undefined } }

export function connectNodeRedis(client: NodeRedis, { onMessage, onError }: Events): Connection {
  const publisher = client.duplicate({ ...common, disableOfflineQueue: true })
  const subscriber = client.duplicate(common)
  const ends = [publisher, subscriber].map((connection) => keepConnecting(connection, onError))
  const listener = (message: Buffer, channel: Buffer): void => onMessage(channel.toString(), message)

  return {
    publish: (channel, message) => publisher.publish(channel, message),
    subscribe: (channel) => subscriber.subscribe(channel, listener, true),
    unsubscribe: (channel) => subscriber.unsubscribe(channel),
    // Nobody asks for a subscription while it is down, so node-redis has none to queue.
    health: () => (publisher.isReady && subscriber.isReady ? 'up' : 'down'),
    close: () => {
      for (const end of ends) end()
    }
  }
}

export function connectNodeRedisCluster(client: NodeRedisCluster, { onMessage, onError }: Events): Connection {
  // Otherwise one shard that is away would hold up all others at the start.
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
  // node-redis destroys the connection to a shard when the last channel is gone, even if one is being added just then: that
  // one would never be answered.
  const turns = new Turns(turnMs)
  const channels = new Set<string>()

  const masterOf = ({ slots }: NodeRedisCluster, channel: string) => slots[slotOf(channel)]?.master
  const isAway = awayTest(turnMs)
  const refuse = (channel: string): Promise<never> =>
    Promise.reject(new Error(`The shard of the channel ${show(channel)} is not connected.`))

  const sSubscribe = subscriber.sSubscribe.bind(subscriber)
  const subscribe = (channel: string): Promise<void> =>
    turns.take('subscribe', () =>
      isAway(masterOf(subscriber, channel)) ? refuse(channel) : sSubscribe(channel, listener, true)
    )
  const subscribeAgain = (channel: string): Promise<void> =>
    insist(
      () => subscribe(channel),
      () => channels.has(channel),
      onError
    )
  // A connection that comes back and is told that its slots have moved has node-redis look for them and subscribe with
  // these two. Nobody catches what fails there: it would end the process, and the channels would be lost.
  subscriber.sSubscribe = subscribeAgain
  const slots = subscriber._slots
  const rediscover = slots?.rediscover?.bind(slots)
  if (slots && rediscover) slots.rediscover = (...nodes) => rediscover(...nodes).catch(onError)
  subscriber.on('sharded-channel-moved-error', (error, channel) => {
    onError(error)
    void subscribeAgain(channel)
  })

  return {
    publish: (channel, message) => {
      const master = masterOf(publisher, channel)
      if (master?.client?.isReady) return publisher.sPublish(channel, message)
      // A shard that was not there before.
      if (master !== undefined && master.client === undefined) publisher.nodeClient(master).catch(onError)
      return refuse(channel)
    },
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
 * Tells whether the subscribed connection to a shard is lost, or has not come about in some time. Commands that wait for it
 * would add up.
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
 * Connects, however often that takes.
 * @returns a function that ends it
 */
function keepConnecting(connection: Connectable, onError: Events['onError'], onConnected = () => {}): () => void {
  let isEnded = false
  // The second one is that of one node of a Cluster.
  connection.on('error', onError)
  connection.on('node-error', onError)

  const tryToConnect = async (): Promise<void> => {
    while (!isEnded) {
      try {
        await connection.connect()
        // node-redis keeps a connection that was just being made when it was destroyed.
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
