import { postgresBackplane } from '@oneport/postgres'
import { redisBackplane } from '@oneport/redis'
import type { Backplane } from '@oneport/topics'
import { clusterBackplane } from '@oneport/topics/cluster'
import { createClient, createCluster } from 'redis'

/** How long a store may take to answer, in milliseconds. */
const timeoutMs = 2_000

/** What may keep the history of the topics. */
export type StoreName = 'memory' | 'redis' | 'redis-cluster' | 'postgres' | 'cluster'

/** Those that several nodes can share. */
export const sharedStores: readonly StoreName[] = ['redis', 'redis-cluster', 'postgres', 'cluster']

export const storeNames: readonly StoreName[] = ['memory', ...sharedStores]

/**
 * Connects a node to its store.
 * @returns undefined for a history in the memory of the node
 */
export function connectStore(name: StoreName, urls: readonly string[]): Backplane | undefined {
  const [first = ''] = urls
  switch (name) {
    case 'memory':
      return undefined
    case 'redis':
      return redisBackplane({ client: createClient({ url: first }), timeoutMs })
    case 'redis-cluster':
      return redisBackplane({ client: createCluster({ rootNodes: urls.map((url) => ({ url })) }), timeoutMs })
    case 'postgres':
      return postgresBackplane({ connection: first, timeoutMs })
    case 'cluster':
      return clusterBackplane({ timeoutMs })
  }
}
