import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http'

/** RFC 9110 §5.6.2: `token`. */
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** Whether a string is a `token` (RFC 9110 §5.6.2). */
export const isToken = (value: string): boolean => token.test(value)

/**
 * Removes optional whitespace (RFC 9110 §5.6.3) from both ends. `trim()` removes more than spaces and tabs, and a
 * regular expression takes quadratic time for a long run of spaces.
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
 * The members of a list-valued header field (RFC 9110 §5.6.1), without empty ones. Repeated fields must be joined with
 * `, `, as Node does.
 */
export function listMembers(value: string): string[] {
  const members: string[] = []
  for (const part of value.split(',')) {
    const member = trimWhitespace(part)
    if (member !== '') members.push(member)
  }
  return members
}

/**
 * Whether a list-valued header field, such as `Connection` or `Upgrade`, has a member. Ignores case.
 * @param member in lower case
 */
export function hasMember(value: string | undefined, member: string): boolean {
  if (value === undefined) return false
  if (value.length === member.length) return isSameToken(value, member)
  return listMembers(value).some((one) => isSameToken(one, member))
}

/** Compares ASCII only: in Unicode, the Kelvin sign in lower case is a `k`. */
const isSameToken = (value: string, lowerCase: string): boolean =>
  value.length === lowerCase.length && isToken(value) && value.toLowerCase() === lowerCase

/**
 * How many times a request has a header field. Ignores case. `req.headers` does not tell: Node drops a second `Host`.
 * @param name in lower case
 */
export function countFields(rawHeaders: readonly string[], name: string): number {
  let count = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const field = rawHeaders[index] as string
    if (field.length === name.length && field.toLowerCase() === name) count++
  }
  return count
}

/** The header fields of a head, which is a status line and then one line for each field: name, value, name, value, … */
export function fieldsOf(head: string): string[] {
  const fields: string[] = []
  for (let start = head.indexOf('\r\n') + 2; ; ) {
    const colon = head.indexOf(': ', start)
    if (colon === -1) return fields
    const end = head.indexOf('\r\n', colon)
    fields.push(head.slice(start, colon), head.slice(colon + 2, end))
    start = end + 2
  }
}

/** Header fields in the forms that `res.writeHead` accepts. */
export type HeadFields = OutgoingHttpHeaders | OutgoingHttpHeader[] | readonly [string, OutgoingHttpHeader][]

/** Sets the header fields that were passed to `writeHead`. Node checks their names and values. */
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
 * Header fields that middleware cannot set on a 101: those of the handshake, those of the connection (RFC 9110 §7.6.1),
 * and those that describe a body (RFC 9110 §8.3 to §8.7). A 101 has no body, but frameworks set them anyway.
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

/** Removes the header fields that only the handshake may set on a 101. */
export function removeOwnedFields(res: ServerResponse): void {
  for (const name of res.getHeaderNames()) if (ownedFields.has(name)) res.removeHeader(name)
}
