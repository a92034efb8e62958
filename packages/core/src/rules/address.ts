/**
 * What connections are counted by: an IPv4 address as it is, an IPv6 address by its first 64 bits, for one client
 * commonly has a whole /64 to choose from (RFC 6177, RFC 8981). What has no colon counts by its own text.
 */
export function addressKey(address: string): string {
  if (!address.includes(':')) return address
  const groups = expand(address.split('%', 1)[0] as string)
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
  if (isMapped) return [6, 7].flatMap((index) => bytes(groups[index] as number)).join('.')
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`
}

const bytes = (group: number): number[] => [group >> 8, group & 0xff]

/** The eight groups of an IPv6 address (RFC 4291 §2.2). */
function expand(address: string): number[] {
  const [head = '', tail] = address.split('::')
  const before = parse(head)
  if (tail === undefined) return before
  const after = parse(tail)
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after]
}

const parse = (part: string): number[] =>
  part === ''
    ? []
    : part.split(':').flatMap((group) => (group.includes('.') ? fromIPv4(group) : Number.parseInt(group, 16)))

function fromIPv4(address: string): number[] {
  const [a, b, c, d] = address.split('.').map(Number) as [number, number, number, number]
  return [(a << 8) | b, (c << 8) | d]
}

/** What a client is counted by; undefined where its address is not known. */
export const clientKeyOf = ({ address }: { readonly address?: string | undefined }): string | undefined =>
  address === undefined ? undefined : addressKey(address)
