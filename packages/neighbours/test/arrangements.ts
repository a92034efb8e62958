/** How Oneport and a neighbour share a server; `alone` is the control: the server without Oneport. */
export interface Arrangement {
  readonly order: 'alone' | 'first' | 'second'
  readonly claims: boolean
}

/** The control: whatever is expected of a neighbour holds without Oneport. */
export const alone: Arrangement = { order: 'alone', claims: false }

const both = [false, true]

/** Oneport attached before the neighbour and behind it, with `claims` and without. */
export const shared: readonly Arrangement[] = both.flatMap((claims) => [
  { order: 'first', claims },
  { order: 'second', claims }
])

/** A table for `describe.each`: what it is called, and the arrangement. */
export const table = (arrangements: readonly Arrangement[]): [string, Arrangement][] =>
  arrangements.map((arrangement) => [nameOf(arrangement), arrangement])

function nameOf({ order, claims }: Arrangement): string {
  if (order === 'alone') return 'without Oneport'
  return `attached ${order}, ${claims ? 'with' : 'without'} claims`
}
