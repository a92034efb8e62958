import { expected, optionError } from '../options/checks.ts'
import { nearMiss } from '../options/near-miss.ts'
import { show } from '../show.ts'
import type { EffectiveRequest } from './effective.ts'

/**
 * Which origins may open a WebSocket (RFC 6454, RFC 6455 §10.2).
 *
 * Browsers let any page open a WebSocket to any server, with that server's cookies, and leave it to the server to look
 * at `Origin`. A list takes:
 *
 * - origins (`https://app.example`, `file://`), and `''` for an empty field;
 * - a wildcard for one or more labels (`https://*.app.example`, never `https://app.example` itself), or for every host of
 *   a scheme other than http and https (`chrome-extension://*`);
 * - regular expressions, which must match the whole value;
 * - `'same-origin'`, and `'null'` for sandboxed and local pages.
 *
 * A function decides by itself; it gets the value as the client sent it. `'any'` lets every web page of the world in with
 * the visitor's cookies.
 */
export type AllowedOrigins =
  | 'same-origin'
  | 'any'
  | readonly (string | RegExp)[]
  | ((origin: string, effective: EffectiveRequest) => boolean)

/** A compiled {@link AllowedOrigins}. */
export interface OriginPolicy {
  /** The rule as an operator reads it in a log line. */
  readonly rule: string
  /** The entries of a list; undefined where there is none. */
  readonly list: readonly (string | RegExp)[] | undefined
  /** Whether a request with this `Origin`, as it was sent, may go on. */
  allows(origin: string, effective: EffectiveRequest): boolean
}

/** An origin in its parts. */
export interface ParsedOrigin {
  readonly scheme: string
  readonly host: string
  readonly port: number | undefined
}

type OriginTest = (value: string, origin: ParsedOrigin | undefined, effective: EffectiveRequest) => boolean

/** RFC 6454 §6.1, in ASCII: no user information, no path, nothing after the port. */
const serializedOrigin =
  /^([a-z][a-z0-9+.-]*):\/\/(\[[0-9a-f:.]+\]|[a-z0-9_~-]+(?:\.[a-z0-9_~-]+)*\.?)(?::(\d{1,5}))?$/i
/** What the pages of programs have for one: `file://`, `app://.`. */
const localOrigin = /^([a-z][a-z0-9+.-]*):\/\/(\.?)$/i
const hostWithPort = /^(\[[0-9a-f:.]+\]|[a-z0-9._~-]+)(?::(\d{0,5}))?$/i
const labels = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/

/** Some clients take the scheme of their own URL, where browsers have that of the page. */
const pageScheme: ReadonlyMap<string, string> = new Map([
  ['ws', 'http'],
  ['wss', 'https']
])

/** Whether pages of the web have this scheme. */
export const isOfWeb = (scheme: string): boolean => scheme === 'http' || scheme === 'https'

/** The port of a URL without one. */
export const defaultPort = (scheme: string): number | undefined =>
  scheme === 'https' ? 443 : scheme === 'http' ? 80 : undefined

/** Reads an origin; undefined for anything else, such as `null`. */
export function parseOrigin(value: string): ParsedOrigin | undefined {
  const match = serializedOrigin.exec(value) ?? localOrigin.exec(value)
  if (match === null) return undefined
  const sent = (match[1] as string).toLowerCase()
  const scheme = pageScheme.get(sent) ?? sent
  const port = match[3] === undefined ? defaultPort(scheme) : Number(match[3])
  if (port !== undefined && port > 65_535) return undefined
  const host = (match[2] as string).toLowerCase()
  // Pages of the web have a name.
  if (isOfWeb(scheme) && (host === '' || host === '.')) return undefined
  return { scheme, host, port }
}

/** Writes an origin as browsers do: without the default port of its scheme. */
export const serialize = ({ scheme, host, port }: ParsedOrigin): string =>
  port === undefined || port === defaultPort(scheme) ? `${scheme}://${host}` : `${scheme}://${host}:${port}`

/**
 * Whether an origin is that of the server itself: the same host and port, and the same scheme where it is known.
 * A host without a port has the default port of the scheme: the known one, else the origin's.
 */
export function isSameOrigin(origin: ParsedOrigin | undefined, effective: EffectiveRequest): boolean {
  if (origin === undefined || !isOfWeb(origin.scheme)) return false
  if (effective.scheme !== undefined && effective.scheme !== origin.scheme) return false
  const { name, port = defaultPort(origin.scheme) } = parseHost(effective.host)
  return name === origin.host && port === origin.port
}

/** Reads the field `Host`; both parts are undefined where it is malformed, the port also where there is none. */
export function parseHost(host = ''): { readonly name?: string | undefined; readonly port?: number | undefined } {
  const [, name, port] = hostWithPort.exec(host) ?? []
  return { name: name?.toLowerCase(), port: port ? Number(port) : undefined }
}

/** Longer than every origin: a name has at most 253 characters. Foreign code and expressions get nothing longer. */
export const longestOrigin = 1_024

/**
 * Compiles the option `allowedOrigins`.
 * @throws TypeError at start-up, for a rule that could never match or would match more than it says
 */
export function compileOrigins(allowed: AllowedOrigins): OriginPolicy {
  const policy = compile(allowed)
  // Node joins repeated fields by a comma, which no origin has.
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
      // A promise is truthy: an async function would let everyone in.
      throw optionError(`allowedOrigins: the function must return true or false at once; it returned ${show(decision)}`)
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
      // Any web page can send it, from a sandboxed frame: it takes an entry of its own.
      if (value === 'null' || value.length > longestOrigin) return false
      const origin = parseOrigin(value)
      return (
        (origin !== undefined && exact.has(serialize(origin))) || tests.some((test) => test(value, origin, effective))
      )
    }
  }
}

/** The values that an entry stands for. Some clients send a slash behind their origin, and some people write it. */
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

/** What somebody probably meant by a value that is no rule, as code. */
function ruleMeantBy(text: unknown): string | undefined {
  if (text instanceof RegExp) return `[${text}]`
  if (typeof text !== 'string') return undefined
  if (text === '*') return "'any'"
  const word = nearMiss(text, ['same-origin', 'any'])
  if (word !== undefined) return `'${word}'`
  const entry = parseOrigin(text) === undefined ? entryMeantBy(text) : `'${text}'`
  return entry && `[${entry}]`
}

/** A scheme, or what is left of one, then a host and a port, and whatever stands behind. */
const almostOrigin =
  /^(?:([a-z]+):?\/{1,2})?((?:\*\.)?(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]))(:(?:\d{1,5}|\*))?(?:[/?#].*)?$/i

/** What somebody probably meant by an entry that is no origin, as code. */
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
  // Without the anchors, /app\.example/ would let https://app.example.evil.test in.
  const whole = new RegExp(`^(?:${entry.source})$`, entry.flags.replace(/[gmy]/g, ''))
  return (value, origin) => whole.test(value) || (origin !== undefined && whole.test(serialize(origin)))
}
