/** How Oneport and a neighbour share a server. With `alone`, Oneport is not attached. */
export interface Arrangement {
  readonly order: 'alone' | 'first' | 'second'
  readonly claims: boolean
  /** Whether the server uses TLS. @default false */
  readonly tls?: boolean
}

/** The control: what is expected of a neighbour has to hold without Oneport too. */
export const alone: Arrangement = { order: 'alone', claims: false }

const both = [false, true]

/** Oneport attached before and after the neighbour, each with and without `claims`. */
export const shared: readonly Arrangement[] = both.flatMap((claims) => [
  { order: 'first', claims },
  { order: 'second', claims }
])

/** The control over TLS. */
export const aloneOverTls: Arrangement = { ...alone, tls: true }
export const sharedOverTls: readonly Arrangement[] = shared.map((arrangement) => ({ ...arrangement, tls: true }))

/** A table for `describe.each`: names and arrangements. */
export const table = (arrangements: readonly Arrangement[]): [string, Arrangement][] =>
  arrangements.map((arrangement) => [nameOf(arrangement), arrangement])

function nameOf({ order, claims, tls = false }: Arrangement): string {
  const protocol = tls ? ', over TLS' : ''
  if (order === 'alone') return `without Oneport${protocol}`
  return `attached ${order}, ${claims ? 'with' : 'without'} claims${protocol}`
}
