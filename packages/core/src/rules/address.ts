/** The key for all forwarded addresses that are not an address. */
export const unknownAddress = 'unknown'

/** An IPv6 address has at most 45 characters; there may also be brackets, a port and a zone. */
const longestAddress = 128

/**
 * The key by which connections are counted: an IPv4 address, or the first 64 bits of an IPv6 address, because one
 * client usually has a whole /64 (RFC 6177, RFC 8981). A port is ignored; some proxies forward one.
 *
 * A forwarded address is whatever someone wrote into a header field. If it is not an address, the key is `unknown` and
 * contains nothing of it.
 */
export function addressKey(address: unknown): string {
  if (typeof address !== 'string' || address.length > longestAddress) return unknownAddress
  const [, host = address] = /^\[(.*)\](?::\d{1,5})?$/.exec(address) ?? /^([\d.]+):\d{1,5}$/.exec(address) ?? []
  const groups = parseIPv6(host)
  if (groups === undefined) return parseIPv4(host)?.join('.') ?? unknownAddress
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
  if (isMapped) return [6, 7].flatMap((index) => bytes(groups[index] as number)).join('.')
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`
}

const bytes = (group: number): number[] => [group >> 8, group & 0xff]

/** The four bytes of an IPv4 address; undefined for anything else. */
function parseIPv4(address: string): number[] | undefined {
  const parts = address.split('.')
  const isAddress = parts.length === 4 && parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)
  return isAddress ? parts.map(Number) : undefined
}

/** The eight groups of an IPv6 address (RFC 4291 §2.2), without its zone; undefined for anything else. */
function parseIPv6(address: string): number[] | undefined {
  const [text = ''] = address.split('%', 1)
  const [head = '', tail, ...more] = text.split('::')
  const before = parseGroups(head, tail === undefined)
  if (tail === undefined) return before?.length === 8 ? before : undefined
  const after = parseGroups(tail, true)
  if (before === undefined || after === undefined || more.length > 0) return undefined
  const zeros = 8 - before.length - after.length
  return zeros > 0 ? [...before, ...new Array<number>(zeros).fill(0), ...after] : undefined
}

/** @param isEnd whether the last two groups may be written as an IPv4 address */
function parseGroups(part: string, isEnd: boolean): number[] | undefined {
  if (part === '') return []
  const texts = part.split(':')
  const embedded = isEnd ? parseIPv4(texts.at(-1) as string) : undefined
  if (embedded !== undefined) {
    const [a, b, c, d] = embedded as [number, number, number, number]
    texts.splice(-1, 1, ((a << 8) | b).toString(16), ((c << 8) | d).toString(16))
  }
  return texts.every((text) => /^[\da-f]{1,4}$/i.test(text))
    ? texts.map((text) => Number.parseInt(text, 16))
    : undefined
}

/** The key by which a client is counted; undefined if its address is not known. */
export const clientKeyOf = (client: { readonly address?: string | undefined } | undefined): string | undefined =>
  client?.address === undefined ? undefined : addressKey(client.address)
