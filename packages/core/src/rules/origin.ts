import { expected, optionError } from '../options/checks.ts'
import { nearMiss } from '../options/near-miss.ts'
import { show } from '../show.ts'
import type { EffectiveRequest } from './effective.ts'

/**
 * The origins that may open a WebSocket (RFC 6454, RFC 6455 §10.2).
 *
 * Browsers let any page open a WebSocket to any server, with that server's cookies. Only the server can stop it, by
 * checking `Origin`. A list can contain:
 *
 * - origins (`https://app.example`, `file://`), and `''` for an empty field;
 * - wildcards for one or more labels (`https://*.app.example`, which does not include `https://app.example` itself), or
 * for all hosts of a scheme other than http and https (`chrome-extension://*`);
 * - regular expressions, which must match the whole value;
 * - `'same-origin'`, and `'null'` for sandboxed and local pages.
 *
 * A function gets the value as the client sent it, and returns true or false. `'any'` allows every web page in the
 * world to connect, with your visitor's cookies.
 */
export type AllowedOrigins =
  | 'same-origin'
  | 'any'
  | readonly (string | RegExp)[]
  | ((origin: string, effective: EffectiveRequest) => boolean)

/** A compiled {@link AllowedOrigins}. */
export interface OriginPolicy {
  /** The rule, for the log. */
  readonly rule: string
  /** The entries, if it is a list. */
  readonly list: readonly (string | RegExp)[] | undefined
  /** Whether an `Origin` is allowed. */
  allows(origin: string, effective: EffectiveRequest): boolean
}

/** The parts of an origin. */
export interface ParsedOrigin {
  readonly scheme: string
  readonly host: string
  readonly port: number | undefined
}

type OriginTest = (value: string, origin: ParsedOrigin | undefined, effective: EffectiveRequest) => boolean

/** RFC 6454 §6.1, in ASCII: no user information, and nothing after the port. */
const serializedOrigin =
  /^([a-z][a-z0-9+.-]*):\/\/(\[[0-9a-f:.]+\]|[a-z0-9_~-]+(?:\.[a-z0-9_~-]+)*\.?)(?::(\d{1,5}))?$/i
/** The origins of local pages and apps: `file://`, `app://.`. */
const localOrigin = /^([a-z][a-z0-9+.-]*):\/\/(\.?)$/i
const hostWithPort = /^(\[[0-9a-f:.]+\]|[a-z0-9._~-]+)(?::(\d{0,5}))?$/i
const labels = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/

/** Some clients send the scheme of the WebSocket URL instead of the page's. */
const pageScheme: ReadonlyMap<string, string> = new Map([
  ['ws', 'http'],
  ['wss', 'https']
])

/** Whether this is the scheme of web pages. */
export const isOfWeb = (scheme: string): boolean => scheme === 'http' || scheme === 'https'

/** The port of a URL that has none. */
export const defaultPort = (scheme: string): number | undefined =>
  scheme === 'https' ? 443 : scheme === 'http' ? 80 : undefined

/** Parses an origin; undefined for anything else, such as `null`. */
export function parseOrigin(value: string): ParsedOrigin | undefined {
  const match = serializedOrigin.exec(value) ?? localOrigin.exec(value)
  if (match === null) return undefined
  const sent = (match[1] as string).toLowerCase()
  const scheme = pageScheme.get(sent) ?? sent
  const port = match[3] === undefined ? defaultPort(scheme) : Number(match[3])
  if (port !== undefined && port > 65_535) return undefined
  const host = (match[2] as string).toLowerCase()
  // Web pages have a host.
  if (isOfWeb(scheme) && (host === '' || host === '.')) return undefined
  return { scheme, host, port }
}

/** Formats an origin as browsers do: without the default port. */
export const serialize = ({ scheme, host, port }: ParsedOrigin): string =>
  port === undefined || port === defaultPort(scheme) ? `${scheme}://${host}` : `${scheme}://${host}:${port}`

/**
 * Whether an origin is the server's own: the same host and port, and the same scheme if it is known. A host without a
 * port has the default port of the scheme; if that is not known, of the origin's scheme.
 */
export function isSameOrigin(origin: ParsedOrigin | undefined, effective: EffectiveRequest): boolean {
  if (origin === undefined || !isOfWeb(origin.scheme)) return false
  if (effective.scheme !== undefined && effective.scheme !== origin.scheme) return false
  const { name, port = defaultPort(origin.scheme) } = parseHost(effective.host)
  return name === origin.host && port === origin.port
}

/** Parses the header field `Host`. If it is malformed, both parts are undefined. */
export function parseHost(host = ''): { readonly name?: string | undefined; readonly port?: number | undefined } {
  const [, name, port] = hostWithPort.exec(host) ?? []
  return { name: name?.toLowerCase(), port: port ? Number(port) : undefined }
}

/** No origin is longer: a host has at most 253 characters. Functions and regular expressions get nothing longer. */
export const longestOrigin = 1_024

/**
 * Compiles the option `allowedOrigins`.
 * @throws TypeError if a rule could never match, or would match more than it says
 */
export function compileOrigins(allowed: AllowedOrigins): OriginPolicy {
  const policy = compile(allowed)
  // Node joins repeated fields with a comma, which no origin contains.
  return { ...policy, allows: (origin, effective) => !origin.includes(',') && policy.allows(origin, effective) }
}

function compile(allowed: AllowedOrigins): OriginPolicy {
  if (allowed === 'any') return { rule: "'any'", list: undefined, allows: () => true }
  if (typeof allowed === 'function') return compileFunction(allowed)
  if (allowed === 'same-origin') return compileList(['same-origin'])
  if (Array.isArray(allowed)) return compileList(allowed)
  throw expected(
    'allowedOrigins',
    "'same-origin', 'any', a list of origins, or a function",
    allowed,
    ruleMeantBy(allowed)
  )
}

function compileFunction(decide: (origin: string, effective: EffectiveRequest) => boolean): OriginPolicy {
  return {
    rule: 'a function',
    list: undefined,
    allows: (origin, effective) => {
      if (origin.length > longestOrigin) return false
      const decision: unknown = decide(origin, effective)
      if (typeof decision === 'boolean') return decision
      // A promise is truthy, so an async function would allow everyone.
      throw optionError(`allowedOrigins: the function must return true or false synchronously; got ${show(decision)}`)
    }
  }
}

function compileList(list: readonly (string | RegExp)[]): OriginPolicy {
  const exact = new Set<string>()
  const tests: OriginTest[] = []
  for (const entry of list) {
    if (entry === 'null' || entry === '') exact.add(entry)
    else if (entry === 'same-origin') tests.push((_value, origin, effective) => isSameOrigin(origin, effective))
    else if (entry instanceof RegExp) tests.push(compileRegExp(entry))
    else if (typeof entry === 'string' && entry.includes('*')) tests.push(compileWildcard(entry))
    else for (const one of normalize(entry)) exact.add(one)
  }
  return {
    rule:
      list.length === 0
        ? 'an empty list'
        : list.map((entry) => (entry instanceof RegExp ? String(entry) : `'${entry}'`)).join(', '),
    list: [...list],
    allows: (value, effective) => {
      if (exact.has(value)) return true
      // Any web page can send `null`, from a sandboxed frame, so it needs an entry of its own.
      if (value === 'null' || value.length > longestOrigin) return false
      const origin = parseOrigin(value)
      return (
        (origin !== undefined && exact.has(serialize(origin))) || tests.some((test) => test(value, origin, effective))
      )
    }
  }
}

/** The values that an entry allows. Some clients send a slash after their origin, and some people write one. */
function normalize(entry: unknown): string[] {
  if (typeof entry === 'string') {
    const origin = parseOrigin(entry)
    if (origin !== undefined) return [serialize(origin)]
    const withoutSlash = entry.endsWith('/') ? parseOrigin(entry.slice(0, -1)) : undefined
    if (withoutSlash !== undefined) return [serialize(withoutSlash), `${serialize(withoutSlash)}/`]
  }
  throw expected(
    'allowedOrigins',
    "an origin such as 'https://app.example' (scheme, host, port, no path)",
    entry,
    typeof entry === 'string' ? entryMeantBy(entry) : undefined
  )
}

/** What was probably meant by a value that is not a rule, as code. */
function ruleMeantBy(text: unknown): string | undefined {
  if (text instanceof RegExp) return `[${text}]`
  if (typeof text !== 'string') return undefined
  if (text === '*') return "'any'"
  const word = nearMiss(text, ['same-origin', 'any'])
  if (word !== undefined) return `'${word}'`
  const entry = parseOrigin(text) === undefined ? entryMeantBy(text) : `'${text}'`
  return entry && `[${entry}]`
}

/** A scheme, complete or not, a host and a port, and anything after them. */
const almostOrigin =
  /^(?:([a-z]+):?\/{1,2})?((?:\*\.)?(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]))(:(?:\d{1,5}|\*))?(?:[/?#].*)?$/i

/** What was probably meant by an entry that is not an origin, as code. */
function entryMeantBy(text: string): string | undefined {
  if (text === 'any' || text === '*') return "allowedOrigins: 'any'"
  const word = nearMiss(text, ['same-origin'])
  if (word !== undefined) return `'${word}'`
  const [, given, host = '', port = ''] = almostOrigin.exec(text.trim()) ?? []
  if (host === '' || (given === undefined && !/[.:]|^localhost$/.test(host + port))) return undefined
  const scheme = given ?? (/^(?:localhost|[\d.]+|\[.*\])$/.test(host) ? 'http' : 'https')
  if (port === ':*') return `/${scheme}:\\/\\/${host.replaceAll('.', '\\.')}:\\d+/`
  return `'${scheme}://${host}${port}'`
}

/** `chrome-extension://*` */
const wholeScheme = /^([a-z][a-z0-9+.-]*):\/\/\*$/i

function compileWildcard(entry: string): OriginTest {
  const scheme = wholeScheme.exec(entry)?.[1]?.toLowerCase()
  if (scheme !== undefined && !isOfWeb(pageScheme.get(scheme) ?? scheme))
    return (_value, origin) => origin?.scheme === scheme
  const pattern = parseOrigin(entry.replace('://*.', '://'))
  if (pattern === undefined || pattern.host === '') {
    const meant = entryMeantBy(entry)
    throw optionError(
      `allowedOrigins: a wildcard stands for whole labels at the left, as in 'https://*.app.example'; got ${show(entry)}` +
        (meant === undefined ? '' : `; did you mean ${meant}?`)
    )
  }
  const suffix = `.${pattern.host}`
  return (_value, origin) =>
    origin !== undefined &&
    origin.scheme === pattern.scheme &&
    origin.port === pattern.port &&
    origin.host.endsWith(suffix) &&
    labels.test(origin.host.slice(0, -suffix.length))
}

function compileRegExp(entry: RegExp): OriginTest {
  // Without the anchors, /app\.example/ would allow https://app.example.evil.test.
  const whole = new RegExp(`^(?:${entry.source})$`, entry.flags.replace(/[gmy]/g, ''))
  return (value, origin) => whole.test(value) || (origin !== undefined && whole.test(serialize(origin)))
}
