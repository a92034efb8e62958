import { redisBackplane } from '@oneport/redis'
import type { Backplane } from '@oneport/topics'
import { createClient } from 'redis'

/** What keeps the history of the topics. */
export type StoreName = 'memory' | 'redis'

export const storeNames: readonly StoreName[] = ['memory', 'redis']

/**
 * Connects a node to its store.
 * @returns undefined for a history in the memory of the node
 * @throws Error if the store does not keep messages
 */
export function connectStore(name: StoreName, url: string): Backplane | undefined {
  if (name === 'memory') return undefined
  const client = createClient({ url })
  const backplane = redisBackplane({ client, timeoutMs: 2_000 })
  if (!('append' in backplane)) throw new Error(`The ${name} backplane keeps no messages.`)
  return backplane
}
