/** How Oneport and a neighbour share a server; `alone` is the control: the server without Oneport. */
export interface Arrangement {
  readonly order: 'alone' | 'first' | 'second'
  readonly claims: boolean
  /** Whether the server speaks TLS; it does not by default. */
  readonly tls?: boolean
}

/** The control: whatever is expected of a neighbour holds without Oneport. */
export const alone: Arrangement = { order: 'alone', claims: false }

const both = [false, true]

/** Oneport attached before the neighbour and behind it, with `claims` and without. */
export const shared: readonly Arrangement[] = both.flatMap((claims) => [
  { order: 'first', claims },
  { order: 'second', claims }
])

/** The same over TLS, without the server by itself. */
export const aloneOverTls: Arrangement = { ...alone, tls: true }
export const sharedOverTls: readonly Arrangement[] = shared.map((arrangement) => ({ ...arrangement, tls: true }))

/** A table for `describe.each`: what it is called, and the arrangement. */
export const table = (arrangements: readonly Arrangement[]): [string, Arrangement][] =>
  arrangements.map((arrangement) => [nameOf(arrangement), arrangement])

function nameOf({ order, claims, tls = false }: Arrangement): string {
  const protocol = tls ? ', over TLS' : ''
  if (order === 'alone') return `without Oneport${protocol}`
  return `attached ${order}, ${claims ? 'with' : 'without'} claims${protocol}`
}
