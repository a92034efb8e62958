import type { Random } from './random.ts'
import type { StoreName } from './store.ts'

/** What breaks, and when. */
export type Event = { readonly atMs: number } & (
  | { readonly what: 'reset'; readonly share: number }
  | { readonly what: 'kill node'; readonly node: number; readonly ms: number }
  | { readonly what: 'reload'; readonly proxy: number }
  | { readonly what: 'doze'; readonly client: number; readonly ms: number }
  | { readonly what: 'copy store' }
  | { readonly what: 'restart store'; readonly data: 'kept' | 'lost' | 'older'; readonly ms: number }
  | { readonly what: 'hang store'; readonly ms: number }
)

export interface PlanOptions {
  readonly durationMs: number
  readonly nodes: number
  readonly clients: number
  readonly store: StoreName
}

/** What breaks during a run. The last part of it is calm. */
export function planOf(random: Random, { durationMs, nodes, clients, store }: PlanOptions): Event[] {
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
  if (store === 'redis') {
    every(4_000, (atMs) => ({ atMs, what: 'copy store' }))
    // In half of the runs nothing is lost, so that no epoch may end.
    const isKind = random.chance(0.5)
    if (!isKind) {
      every(6_000, (atMs) => {
        const data = random.pick(['kept', 'lost', 'older'] as const)
        return { atMs, what: 'restart store', data, ms: random.between(0, 1_500) }
      })
    }
    every(5_000, (atMs) => ({ atMs, what: 'hang store', ms: random.between(100, 3_000) }))
  }
  return events.sort((one, other) => one.atMs - other.atMs)
}

/** Whether messages are lost by plan. */
export const losesMessages = (events: readonly Event[], store: StoreName): boolean =>
  events.some(({ what }) => what === 'restart store' || (store === 'memory' && what === 'kill node'))
