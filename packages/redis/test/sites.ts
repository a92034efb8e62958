import { clusterJoined, RedisServer, startRedisCluster } from '@oneport/test-kit'
import { type HistoryBackplane, MemoryHub, memoryBackplane } from '@oneport/topics'
import { Cluster, Redis } from 'ioredis'
import { createClient, createCluster } from 'redis'
import { type RedisBackplaneOptions, type RedisClient, redisBackplane } from '../src/index.ts'
import { slotOf } from '../src/slot.ts'

/** A way for backplanes to connect. */
export interface Site {
  /** The servers; none for the backplane in memory. */
  readonly servers: readonly RedisServer[]
  /** The server that a topic lives on at the start. */
  serverOf(topic: string): RedisServer | undefined
  /** A backplane for one node. */
  join(options?: Partial<RedisBackplaneOptions>): HistoryBackplane
  /** How many nodes are subscribed to a topic. */
  subscribers(topic: string): Promise<number>
  /** Publishes bytes on the channel of a topic, as anyone could who reaches the server. */
  inject(topic: string, bytes: Buffer): Promise<unknown>
  /** Gets all servers running again, whatever state they are in. */
  recover(this: void): Promise<void>
  stop(): Promise<void>
}

export interface Kind {
  readonly name: string
  /** @param options of each server, as on its command line */
  open(...options: string[]): Promise<Site>
}

export const memory: Kind = {
  name: 'the backplane in memory',
  open: async () => {
    const hub = new MemoryHub()
    const stranger = memoryBackplane(hub)
    return {
      servers: [],
      serverOf: () => undefined,
      join: () => memoryBackplane(hub),
      subscribers: async (topic) => hub.subscribers(topic),
      inject: (topic, bytes) => stranger.publish(topic, bytes),
      recover: async () => {},
      stop: async () => {}
    }
  }
}

/** For keys only: channels do not have it. */
const keyPrefix = 'keys:'

type MakeClient = (servers: readonly RedisServer[]) => RedisClient

/** Clients of ioredis connect at once unless told otherwise. Here only their duplicates should connect. */
const clients: Record<string, { standalone: MakeClient; cluster: MakeClient }> = {
  'node-redis': {
    standalone: ([server]) => createClient({ url: server?.url ?? '', keyPrefix }),
    cluster: (servers) => createCluster({ rootNodes: servers.map(({ url }) => ({ url })), keyPrefix })
  },
  ioredis: {
    standalone: ([server]) => new Redis({ host: '127.0.0.1', port: server?.port ?? 0, lazyConnect: true, keyPrefix }),
    cluster: (servers) =>
      new Cluster(
        servers.map(({ port }) => ({ host: '127.0.0.1', port })),
        { lazyConnect: true, keyPrefix, redisOptions: { keyPrefix } }
      )
  }
}

const prefix = 'oneport:'

function site(servers: readonly RedisServer[], makeClient: MakeClient, isCluster: boolean): Site {
  const serverOf = (topic: string): RedisServer =>
    servers[isCluster ? Math.floor(((slotOf(prefix + topic) + 1) * 3 - 1) / 16_384) : 0] as RedisServer
  return {
    servers,
    serverOf,
    join: (options) => redisBackplane({ client: makeClient(servers), ...options }),
    subscribers: async (topic) => {
      const what = isCluster ? 'SHARDNUMSUB' : 'NUMSUB'
      return Number(/:(\d+)\r\n$/.exec(await serverOf(topic).command('PUBSUB', what, prefix + topic))?.[1])
    },
    inject: (topic, bytes) => serverOf(topic).command(isCluster ? 'SPUBLISH' : 'PUBLISH', prefix + topic, bytes),
    recover: async () => {
      for (const server of servers) await server.start()
      if (isCluster) await clusterJoined(servers)
    },
    stop: async () => {
      for (const server of servers) await server.stop()
    }
  }
}

export const kinds: readonly Kind[] = Object.entries(clients).flatMap(([name, { standalone, cluster }]) => [
  {
    name: `${name} and one server`,
    open: async (...options) => site([await RedisServer.start(...options)], standalone, false)
  },
  {
    name: `${name} and a Cluster`,
    open: async (...options) => site(await startRedisCluster(...options), cluster, true)
  }
])
