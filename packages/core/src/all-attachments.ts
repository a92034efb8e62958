import type { Attachment } from './attachment.ts'
import { checkDrainOptions } from './life/drain.ts'
import type { AttachmentStats } from './reports/stats.ts'
import { checkKey, checkRevocation } from './rules/credential.ts'

/**
 * Combines the attachments of several servers into one, for adapters.
 * @param read returns the current attachments
 */
export const allAttachments = (read: () => readonly Attachment[]): Attachment => ({
  get connections() {
    return union(read().map(({ connections }) => connections))
  },
  connectionsOf: (key) => {
    checkKey(key, 'connectionsOf')
    return union(read().map((one) => one.connectionsOf(key)))
  },
  revoke: (...args) => {
    checkRevocation(...args)
    return sum(read().map((one) => one.revoke(...args)))
  },
  drain: async (options) => {
    checkDrainOptions(options, 'drain')
    const results = await Promise.all(read().map((one) => one.drain(options)))
    return {
      closed: sum(results.map(({ closed }) => closed)),
      terminated: sum(results.map(({ terminated }) => terminated))
    }
  },
  stats: () => addUp(read().map((one) => one.stats())),
  detach: () => {
    for (const one of read()) one.detach()
  }
})

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)

function union<One>(sets: readonly ReadonlySet<One>[]): ReadonlySet<One> {
  const [first, ...others] = sets
  return first !== undefined && others.length === 0 ? first : new Set(sets.flatMap((set) => [...set]))
}

/** `draining` is false while any server accepts handshakes, because one is enough for a readiness probe. */
const addUp = (stats: readonly AttachmentStats[]): AttachmentStats => ({
  open: sum(stats.map(({ open }) => open)),
  httpClients: sum(stats.map(({ httpClients }) => httpClients)),
  draining: stats.length > 0 && stats.every(({ draining }) => draining),
  pending: sum(stats.map(({ pending }) => pending)),
  accepted: sum(stats.map(({ accepted }) => accepted)),
  refused: stats.map(({ refused }) => refused).reduce(addCounts, {}),
  closed: stats.map(({ closed }) => closed).reduce(addCounts, {}),
  terminated: stats
    .map(({ terminated }) => terminated)
    .reduce(addCounts, { heartbeat: 0, backpressure: 0, budget: 0, drain: 0 })
})

function addCounts<Counts extends Readonly<Partial<Record<keyof Counts, number>>>>(one: Counts, other: Counts): Counts {
  const names = Object.keys({ ...one, ...other }) as (keyof Counts)[]
  return Object.fromEntries(names.map((name) => [name, (one[name] ?? 0) + (other[name] ?? 0)])) as Counts
}
