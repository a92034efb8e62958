import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { show } from '../errors.ts'

/**
 * Which origins may open a WebSocket (RFC 6454, RFC 6455 §10.2).
 *
 * Browsers let any page open a WebSocket to any server, with that server's cookies, and leave it to the server to look
 * at `Origin`. A list takes exact origins (`https://app.example`), one wildcard for one or more labels
 * (`https://*.app.example`, never `https://app.example` itself), regular expressions, which must match the whole
 * origin, `'same-origin'`, and `'null'` for sandboxed and local pages. A function decides by itself. `'any'` lets every
 * web page of the world in with the visitor's cookies.
 */
export type AllowedOrigins =
  | 'same-origin'
  | 'any'
  | readonly (string | RegExp)[]
  | ((origin: string, effective: EffectiveRequest) => boolean)

/** What the client meant to reach: what trusted proxies say, else what the request itself says. */
export interface EffectiveRequest {
  /** Host and port as the client wrote them, e.g. `app.example:8443`. */
  readonly host?: string | undefined
  /** Scheme of the client's connection; undefined where nothing trustworthy tells. */
  readonly scheme?: 'http' | 'https' | undefined
  /** Address of the client, for `maxConnectionsPerAddress`. */
  readonly address?: string | undefined
}

/** The effective request where no proxy is trusted. The scheme of a plain connection is unknown: TLS may end before it. */
export const effectiveRequest = (req: IncomingMessage): EffectiveRequest => new DirectRequest(req)

class DirectRequest implements EffectiveRequest {
  readonly host: string | undefined
  readonly scheme: 'https' | undefined
  readonly #req: IncomingMessage

  constructor(req: IncomingMessage) {
    this.host = req.headers.host
    this.scheme = (req.socket as Partial<TLSSocket>).encrypted === true ? 'https' : undefined
    this.#req = req
  }

  /** Asking the operating system for it takes time, and few limits need it. */
  get address(): string | undefined {
    return this.#req.socket.remoteAddress
  }
}

/** A compiled {@link AllowedOrigins}. */
export interface OriginPolicy {
  /** The rule as an operator reads it in a log line. */
  readonly rule: string
  /** Whether `'same-origin'` is among it, so that the effective host decides. */
  readonly comparesHost: boolean
  /** Whether a request with this `Origin` may go on. */
  allows(origin: string, effective: EffectiveRequest): boolean
}

interface ParsedOrigin {
  readonly scheme: string
  readonly host: string
  readonly port: number | undefined
}

type OriginTest = (origin: ParsedOrigin, serialized: string, effective: EffectiveRequest) => boolean

/** RFC 6454 §6.1, in ASCII: no user information, no path, nothing after the port. */
const serializedOrigin =
  /^([a-z][a-z0-9+.-]*):\/\/(\[[0-9a-f:.]+\]|[a-z0-9_~-]+(?:\.[a-z0-9_~-]+)*\.?)(?::(\d{1,5}))?$/i
const hostAndPort = /^(\[[0-9a-f:.]+\]|[a-z0-9._~-]+)(?::(\d{0,5}))?$/i
const labels = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/

const defaultPort = (scheme: string): number | undefined =>
  scheme === 'https' ? 443 : scheme === 'http' ? 80 : undefined

function parseOrigin(value: string): ParsedOrigin | undefined {
  const match = serializedOrigin.exec(value)
  if (match === null) return undefined
  const scheme = (match[1] as string).toLowerCase()
  const port = match[3] === undefined ? defaultPort(scheme) : Number(match[3])
  if (port !== undefined && port > 65_535) return undefined
  return { scheme, host: (match[2] as string).toLowerCase(), port }
}

const serialize = ({ scheme, host, port }: ParsedOrigin): string =>
  port === undefined || port === defaultPort(scheme) ? `${scheme}://${host}` : `${scheme}://${host}:${port}`

/**
 * Whether an origin is that of the server itself: the same host and port, and the same scheme where it is known.
 * A host without a port has the default port of the scheme: the known one, else the origin's.
 */
function isSameOrigin(origin: ParsedOrigin, effective: EffectiveRequest): boolean {
  if (origin.scheme !== 'http' && origin.scheme !== 'https') return false
  if (effective.scheme !== undefined && effective.scheme !== origin.scheme) return false
  const host = hostAndPort.exec(effective.host ?? '')
  if (host === null) return false
  return (
    host[1]?.toLowerCase() === origin.host && (host[2] ? Number(host[2]) : defaultPort(origin.scheme)) === origin.port
  )
}

/**
 * Compiles the option `allowedOrigins`.
 * @throws TypeError at start-up, for a rule that could never match or would match more than it says
 */
export function compileOrigins(allowed: AllowedOrigins): OriginPolicy {
  if (allowed === 'any') return { rule: "'any'", comparesHost: false, allows: (origin) => !origin.includes(',') }
  if (typeof allowed === 'function') return compileFunction(allowed)
  if (allowed === 'same-origin') return compileList(['same-origin'])
  if (Array.isArray(allowed)) return compileList(allowed)
  throw new TypeError(
    `allowedOrigins: expected 'same-origin', 'any', a list of origins, or a function; got ${show(allowed)}`
  )
}

function compileFunction(decide: (origin: string, effective: EffectiveRequest) => boolean): OriginPolicy {
  return {
    rule: 'a function',
    comparesHost: false,
    allows: (origin, effective) => {
      const parsed = parseOrigin(origin)
      if (parsed === undefined && origin !== 'null') return false
      const decision: unknown = decide(parsed === undefined ? origin : serialize(parsed), effective)
      if (typeof decision === 'boolean') return decision
      // A promise is truthy: an async function would let everyone in.
      throw new TypeError(
        `allowedOrigins: the function must return true or false at once; it returned ${show(decision)}`
      )
    }
  }
}

function compileList(list: readonly (string | RegExp)[]): OriginPolicy {
  const exact = new Set<string>()
  const tests: OriginTest[] = []
  let allowsNull = false
  for (const entry of list) {
    if (entry === 'null') allowsNull = true
    else if (entry === 'same-origin') tests.push((origin, _serialized, effective) => isSameOrigin(origin, effective))
    else if (entry instanceof RegExp) tests.push(compileRegExp(entry))
    else if (typeof entry === 'string' && entry.includes('*')) tests.push(compileWildcard(entry))
    else exact.add(normalize(entry))
  }
  return {
    rule:
      list.length === 0
        ? 'an empty list'
        : list.map((entry) => (entry instanceof RegExp ? String(entry) : `'${entry}'`)).join(', '),
    comparesHost: list.includes('same-origin'),
    allows: (origin, effective) => {
      if (exact.has(origin)) return true
      if (origin === 'null') return allowsNull
      const parsed = parseOrigin(origin)
      if (parsed === undefined) return false
      const serialized = serialize(parsed)
      return exact.has(serialized) || tests.some((test) => test(parsed, serialized, effective))
    }
  }
}

function normalize(entry: unknown): string {
  const parsed = typeof entry === 'string' ? parseOrigin(entry) : undefined
  if (parsed !== undefined) return serialize(parsed)
  const hint = entry === 'any' ? "; to let every origin in, write allowedOrigins: 'any' without a list" : ''
  throw new TypeError(
    `allowedOrigins: expected an origin such as 'https://app.example' (scheme, host, port, no path); got ${show(entry)}${hint}`
  )
}

function compileWildcard(entry: string): OriginTest {
  const pattern = parseOrigin(entry.replace('://*.', '://'))
  if (pattern === undefined) {
    throw new TypeError(
      `allowedOrigins: a wildcard stands for whole labels at the left, as in 'https://*.app.example'; got ${show(entry)}`
    )
  }
  const suffix = `.${pattern.host}`
  return ({ scheme, host, port }) =>
    scheme === pattern.scheme &&
    port === pattern.port &&
    host.endsWith(suffix) &&
    labels.test(host.slice(0, -suffix.length))
}

function compileRegExp(entry: RegExp): OriginTest {
  // Without the anchors, /app\.example/ would let https://app.example.evil.test in.
  const whole = new RegExp(`^(?:${entry.source})$`, entry.flags.replace(/[gmy]/g, ''))
  return (_origin, serialized) => whole.test(serialized)
}
