import type { Random } from '@oneport/kit'
import type { StoreName } from './store.ts'

/** What breaks a store. */
export type StoreEvent =
  | { readonly what: 'restart store'; readonly data: 'kept' | 'lost' | 'older'; readonly ms: number }
  | { readonly what: 'hang store'; readonly ms: number }
  /** A replica of the Redis Cluster takes the place of its master. */
  | { readonly what: 'fail over'; readonly shard: number; readonly how: FailOver; readonly ms: number }

/** The master is killed, or the replica is told to take over, with the master's help or without. */
export type FailOver = 'kill' | 'agree' | 'force' | 'take over'

/** What breaks, and when. */
export type Event = { readonly atMs: number } & (
  | StoreEvent
  /** The network between one node and the store. */
  | { readonly what: 'cut'; readonly node: number; readonly ms: number }
  | { readonly what: 'reset store'; readonly node: number }
  | { readonly what: 'reset'; readonly share: number }
  | { readonly what: 'kill node'; readonly node: number; readonly ms: number }
  | { readonly what: 'reload'; readonly proxy: number }
  | { readonly what: 'doze'; readonly client: number; readonly ms: number }
  /** A client unsubscribes from a topic for a while. */
  | { readonly what: 'part'; readonly client: number; readonly ms: number }
  /** A page is loaded again, at once or after a while. Pages come first among the clients. */
  | { readonly what: 'reload page'; readonly client: number; readonly ms: number }
)

/** How many masters a Redis Cluster has. */
export const shards = 3

export interface PlanOptions {
  readonly durationMs: number
  readonly nodes: number
  readonly clients: number
  /** How many of them are pages. */
  readonly pages: number
  readonly store: StoreName
}

/** Whether the network between nodes and the store can be broken. A Redis Cluster tells nodes its own addresses. */
export const hasNetwork = (store: StoreName): boolean => store === 'redis' || store === 'postgres'

/** What breaks during a run. The last part of it is calm. */
export function planOf(random: Random, { durationMs, nodes, clients, pages, store }: PlanOptions): Event[] {
  const events: Event[] = []
  /** Makes events about so often, in milliseconds, beginning somewhat later. */
  const every = (ms: number, event: (atMs: number) => Event): void => {
    for (let at = random.between(ms / 2, ms * 1.5); at < durationMs; at += random.between(ms / 2, ms * 1.5)) {
      events.push(event(Math.round(at)))
    }
  }
  every(400, (atMs) => ({ atMs, what: 'reset', share: random.pick([0.02, 0.05, 0.1, 0.3]) }))
  every(2_500, (atMs) => ({ atMs, what: 'kill node', node: random.below(nodes), ms: random.between(100, 1_500) }))
  every(3_000, (atMs) => ({ atMs, what: 'reload', proxy: random.below(2) }))
  every(150, (atMs) => ({ atMs, what: 'doze', client: random.below(clients), ms: random.between(200, 3_000) }))
  every(150, (atMs) => ({ atMs, what: 'part', client: random.below(clients), ms: random.between(0, 3_000) }))
  // In half of the runs nothing is lost, so that no epoch may end.
  const isKind = random.chance(0.5)
  if ((store === 'redis' && !isKind) || store === 'postgres') {
    every(4_000, (atMs) => {
      const data = isKind ? 'kept' : random.pick(['kept', 'lost', 'older'] as const)
      return { atMs, what: 'restart store', data, ms: random.between(0, 1_500) }
    })
  }
  if (store === 'cluster' && !isKind) {
    every(5_000, (atMs) => ({ atMs, what: 'restart store', data: 'lost', ms: random.between(0, 1_500) }))
  }
  if (store === 'redis-cluster') {
    every(5_000, (atMs) => {
      const how = random.pick(['kill', 'agree', 'force', 'take over'] as const)
      return { atMs, what: 'fail over', shard: random.below(shards), how, ms: random.between(0, 3_000) }
    })
  }
  if (store !== 'memory') {
    every(5_000, (atMs) => ({ atMs, what: 'hang store', ms: random.between(100, 3_000) }))
  }
  if (hasNetwork(store)) {
    every(3_000, (atMs) => ({ atMs, what: 'cut', node: random.below(nodes), ms: random.between(100, 6_000) }))
    every(1_000, (atMs) => ({ atMs, what: 'reset store', node: random.below(nodes) }))
  }
  if (pages > 0) {
    every(600, (atMs) => ({ atMs, what: 'doze', client: random.below(pages), ms: random.between(200, 3_000) }))
    every(600, (atMs) => {
      const ms = random.chance(0.5) ? 0 : random.between(0, 2_000)
      return { atMs, what: 'reload page', client: random.below(pages), ms }
    })
  }
  return events.sort((one, other) => one.atMs - other.atMs)
}

/** Whether messages are lost by plan. PostgreSQL has written down what it has acknowledged; Redis may be a little late. */
export function losesMessages(events: readonly Event[], store: StoreName): boolean {
  switch (store) {
    case 'memory':
      return events.some(({ what }) => what === 'kill node')
    case 'postgres':
      return events.some((event) => event.what === 'restart store' && event.data !== 'kept')
    case 'redis-cluster':
      return true
    default:
      return events.some(({ what }) => what === 'restart store')
  }
}
