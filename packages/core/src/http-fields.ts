import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http'

/** RFC 9110 §5.6.2: `token`. */
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** Whether a string is a `token` (RFC 9110 §5.6.2). */
export const isToken = (value: string): boolean => token.test(value)

/**
 * Removes optional whitespace (RFC 9110 §5.6.3) at both ends. `trim()` would remove more than space and tab, and a
 * regular expression takes quadratic time on a long run of spaces.
 */
export function trimWhitespace(value: string): string {
  let start = 0
  let end = value.length
  while (start < end && isWhitespace(value.charCodeAt(start))) start++
  while (end > start && isWhitespace(value.charCodeAt(end - 1))) end--
  return value.slice(start, end)
}

const isWhitespace = (code: number): boolean => code === 0x20 || code === 0x09

/**
 * The members of a list-valued field (RFC 9110 §5.6.1), without empty ones.
 * Repeated fields have been joined by `, ` before this, as Node does it.
 */
export function listMembers(value: string): string[] {
  const members: string[] = []
  for (const part of value.split(',')) {
    const member = trimWhitespace(part)
    if (member !== '') members.push(member)
  }
  return members
}

/** Whether a list-valued field has a member, in any case (`Connection`, `Upgrade`). */
export function hasMember(value: string | undefined, member: string): boolean {
  if (value === undefined) return false
  if (value.length === member.length) return isSameToken(value, member)
  return listMembers(value).some((one) => isSameToken(one, member))
}

/** In ASCII only: the Kelvin sign in lower case is a `k`. */
const isSameToken = (value: string, lowerCase: string): boolean =>
  value.length === lowerCase.length && isToken(value) && value.toLowerCase() === lowerCase

/** How often a field stands in the request, in any case. Node drops a second `Host` from `req.headers`. */
export function countFields(rawHeaders: readonly string[], name: string): number {
  let count = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const field = rawHeaders[index] as string
    if (field.length === name.length && field.toLowerCase() === name) count++
  }
  return count
}

/** Header fields that `ws` asks for on a 101, in its order: a name, its value, the next name. */
export type HandshakeFields = readonly string[]

/** What `res.writeHead` takes as header fields. */
export type HeadFields = OutgoingHttpHeaders | OutgoingHttpHeader[] | readonly [string, OutgoingHttpHeader][]

/** Sets the header fields that `writeHead` was given, so that names and values are checked by Node as everywhere. */
export function setFields(res: ServerResponse, fields: HeadFields): void {
  if (!Array.isArray(fields)) {
    for (const [name, value] of Object.entries(fields)) if (value !== undefined) res.setHeader(name, value)
    return
  }
  const pairs = Array.isArray(fields[0]) ? (fields as [string, OutgoingHttpHeader][]) : pairUp(fields)
  for (const [name] of pairs) res.removeHeader(name)
  for (const [name, value] of pairs) res.appendHeader(name, typeof value === 'number' ? String(value) : value)
}

function pairUp(flat: readonly unknown[]): [string, OutgoingHttpHeader][] {
  const pairs: [string, OutgoingHttpHeader][] = []
  for (let index = 0; index < flat.length; index += 2) {
    pairs.push([flat[index] as string, flat[index + 1] as OutgoingHttpHeader])
  }
  return pairs
}

/**
 * Fields of a 101 that are not middleware's to choose: the handshake's own, those of this hop (RFC 9110 §7.6.1), and
 * those that speak of a body, which a 101 does not have (RFC 9110 §8.3 to §8.7): frameworks set them by themselves.
 */
const ownedFields = new Set([
  'connection',
  'content-encoding',
  'content-language',
  'content-length',
  'content-location',
  'content-type',
  'keep-alive',
  'sec-websocket-accept',
  'sec-websocket-extensions',
  'sec-websocket-protocol',
  'sec-websocket-version',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade'
])

/** Removes from a response what only the handshake may set on a 101. */
export function removeOwnedFields(res: ServerResponse): void {
  for (const name of res.getHeaderNames()) if (ownedFields.has(name)) res.removeHeader(name)
}
