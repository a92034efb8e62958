import type { IncomingMessage } from 'node:http'
import { HandshakeError } from '../errors.ts'
import { countFields } from '../http-fields.ts'
import { expected } from '../options/checks.ts'
import { quote } from '../show.ts'

/** RFC 9110 §7.2, RFC 3986 §3.2.2: a name, an IPv4 or a bracketed IPv6 address, and a port. */
const hostAndPort = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]+)(?::\d*)?$/

/**
 * Checks `Host`. Node does not, for requests that ask for an upgrade.
 * @throws HandshakeError HANDSHAKE_HOST
 */
export function validateHost(req: Pick<IncomingMessage, 'headers' | 'rawHeaders' | 'httpVersionMajor'>): void {
  const { host } = req.headers
  // On HTTP/2 this is the pseudo-header `:authority`, which cannot be repeated.
  const count = req.httpVersionMajor >= 2 ? 1 : countFields(req.rawHeaders, 'host')
  if (count === 1 && host !== undefined && hostAndPort.test(host)) return
  const got = count === 1 ? quote(host) : `${count} of them`
  throw new HandshakeError('HANDSHAKE_HOST', `Expected one valid header field "Host" (RFC 9112 §3.2); got ${got}.`)
}

/**
 * The hosts that clients may use for this server: names (`app.example`), addresses (`127.0.0.1`, `[::1]`), and a
 * wildcard for one or more labels (`*.app.example`, which does not include `app.example` itself). Ports are ignored.
 * `'any'` allows all.
 */
export type AllowedHosts = 'any' | readonly string[]

/** A compiled {@link AllowedHosts}. */
export interface HostPolicy {
  /** The rule, for the log. */
  readonly rule: string
  /** Whether a host is allowed. It may have a port. */
  allows(host: string | undefined): boolean
}

/** A name or an address, optionally with a port. */
const named = /^(\[[0-9a-f:.]+\]|[^:]+)(?::\d*)?$/i

/**
 * Compiles the option `allowedHosts`.
 * @throws TypeError if it is not `'any'` or a list of host names
 */
export function compileHosts(allowed: AllowedHosts): HostPolicy {
  if (allowed === 'any') return { rule: "'any'", allows: () => true }
  if (!Array.isArray(allowed)) {
    const meant = nameMeantBy(allowed)
    throw expected('allowedHosts', "'any' or a list", allowed, meant === "'any'" ? meant : meant && `[${meant}]`)
  }
  const names = new Set<string>()
  const suffixes: string[] = []
  for (const entry of allowed) {
    const isWildcard = typeof entry === 'string' && entry.startsWith('*.')
    const name = normalize(isWildcard ? entry.slice(2) : entry)
    if (name === undefined) {
      const what = "a host name such as 'app.example' or '*.app.example', without scheme and port"
      throw expected('allowedHosts', what, entry, nameMeantBy(entry))
    }
    if (isWildcard) suffixes.push(`.${name}`)
    else names.add(name)
  }
  return {
    rule: allowed.length === 0 ? 'an empty list' : allowed.map((entry) => `'${entry}'`).join(', '),
    allows: (host = '') => {
      const name = named.exec(host)?.[1]?.toLowerCase()
      return name !== undefined && (names.has(name) || suffixes.some((suffix) => isBelow(name, suffix)))
    }
  }
}

const isBelow = (name: string, suffix: string): boolean => name.length > suffix.length && name.endsWith(suffix)

/** What was probably meant by an entry that is not a host name, as code. It may be an origin, or `*`. */
function nameMeantBy(entry: unknown): string | undefined {
  if (entry === '*') return "'any'"
  const [, wildcard = '', rest] = /^(?:[a-z]+:\/\/)?(\*\.)?(.*)$/i.exec(typeof entry === 'string' ? entry : '') ?? []
  const name = normalize(rest?.split(/[/?#]/, 1)[0]?.replace(/:\d*$/, ''))
  return name && `'${wildcard}${name}'`
}

/** Normalizes a host name to what browsers send in `Host`; undefined if it is not a host name. */
function normalize(entry: unknown): string | undefined {
  if (typeof entry !== 'string' || !/^(?:\[[0-9a-f:.]+\]|[^\s:/?#@\\*%]+)$/i.test(entry)) return undefined
  const url = `http://${entry}/`
  return URL.canParse(url) ? new URL(url).hostname : undefined
}
