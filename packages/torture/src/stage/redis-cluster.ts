import { setTimeout as sleep } from 'node:timers/promises'
import { addReplica, clusterJoined, type RedisServer, startRedisCluster } from '@oneport/kit'
import type { StoreEvent } from '../plan.ts'
import type { Store } from './store.ts'

/** Delay between two looks at the servers, and how long a replica may take to be promoted, in milliseconds. */
const [lookMs, promotedMs] = [50, 10_000]

/** A Redis Cluster in which each master has a replica. */
export class RedisCluster implements Store {
  readonly #shards: (readonly [RedisServer, RedisServer])[] = []

  static async open(): Promise<RedisCluster> {
    const cluster = new RedisCluster()
    const all = await startRedisCluster()
    for (const master of [...all]) {
      const replica = await addReplica(all, master)
      all.push(replica)
      cluster.#shards.push([master, replica])
    }
    return cluster
  }

  get urls(): string[] {
    return this.#servers.map(({ url }) => url)
  }

  get #servers(): RedisServer[] {
    return this.#shards.flat()
  }

  async break(event: StoreEvent): Promise<void> {
    if (event.what === 'hang store') {
      const [first] = this.#shards
      if (first !== undefined) (await masterOf(first)).pause()
    }
    if (event.what !== 'fail over') return
    const shard = this.#shards[event.shard]
    if (shard === undefined) return
    const master = await masterOf(shard)
    const replica = shard[master === shard[0] ? 1 : 0]
    switch (event.how) {
      case 'kill':
        await master.kill()
        break
      case 'agree':
        await replica.command('CLUSTER', 'FAILOVER')
        break
      case 'force':
        await replica.command('CLUSTER', 'FAILOVER', 'FORCE')
        break
      case 'take over':
        await replica.command('CLUSTER', 'FAILOVER', 'TAKEOVER')
    }
    // A master that does not agree in time stays one.
    const end = performance.now() + promotedMs
    while (performance.now() < end && !(await isMaster(replica))) await sleep(lookMs)
  }

  /** Starts what was killed, and continues what hung. Resolves when each master has a replica with all its messages. */
  async repair(): Promise<void> {
    for (const server of this.#servers) await server.start()
    await clusterJoined(this.#servers)
    for (const shard of this.#shards) while (!(await isWhole(shard))) await sleep(lookMs)
  }

  async stop(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.stop()))
  }
}

const replicationOf = (server: RedisServer): Promise<string> => server.command('INFO', 'replication')

const isMaster = async (server: RedisServer): Promise<boolean> => (await replicationOf(server)).includes('role:master')

async function masterOf([one, other]: readonly [RedisServer, RedisServer]): Promise<RedisServer> {
  return (await isMaster(one)) ? one : other
}

async function isWhole(shard: readonly [RedisServer, RedisServer]): Promise<boolean> {
  const infos = await Promise.all(shard.map(replicationOf))
  return (
    infos.some((info) => info.includes('role:master') && info.includes('state=online')) &&
    infos.some((info) => info.includes('master_link_status:up'))
  )
}
