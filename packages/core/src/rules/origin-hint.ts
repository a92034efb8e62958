import type { IncomingHttpHeaders } from 'node:http'
import { pages } from '../docs.ts'
import { quote } from '../show.ts'
import type { EffectiveRequest } from './effective.ts'
import {
  defaultPort,
  isOfWeb,
  isSameOrigin,
  longestOrigin,
  type ParsedOrigin,
  parseHost,
  parseOrigin,
  serialize
} from './origin.ts'
import { clients } from './origin-clients.ts'

type List = readonly (string | RegExp)[]

/** A handshake whose origin is not allowed. */
export interface RefusedOrigin {
  /** The header field `Origin` as received; undefined if there is none. */
  readonly origin: string | undefined
  /** The entries of `allowedOrigins`; undefined if it is a function. */
  readonly list: List | undefined
  readonly effective: EffectiveRequest
  readonly headers: IncomingHttpHeaders
  /** Code that makes the application trust the proxy of this request. */
  trust(): string
}

/** Tells the operator what to do about a refused origin. Blames a proxy only if the request shows that there is one. */
export function originHint(refused: RefusedOrigin): string {
  const { origin, list } = refused
  if (origin === undefined) return 'Browsers always send Origin. Other programs pass with requireOrigin: false.'
  if (origin.includes(',')) return 'There is more than one Origin. Browsers send one; a proxy may have added another.'
  if (origin.length > longestOrigin) return 'No browser sends this.'
  if (list === undefined) return 'The function allowedOrigins returned false.'
  const client = clients.find(({ sends }) => sends.test(origin))
  if (client !== undefined) {
    const { name, entry = origin } = client
    return `${name}. ${toAllow(entry, list)}\nSee ${pages}/origins.md#devices-and-native-shells`
  }
  const page = parseOrigin(origin)
  if (page === undefined) return 'No browser sends this. A regular expression can allow it.'
  if (!isOfWeb(page.scheme)) return `An app or an extension, not a web page. ${toAllow(serialize(page), list)}`
  const refusal = { ...refused, list, page, origin: serialize(page), server: serverOf(refused) }
  for (const cause of causes) {
    const hint = cause(refusal)
    if (hint !== undefined) return hint
  }
  return `${otherSite} If it is yours: ${pages}/origins.md#a-page-of-your-own-is-refused`
}

const otherSite = 'A page of another site: this is what the check is for.'

const serverOf = ({ effective: { host = '' } }: RefusedOrigin): RefusedPage['server'] =>
  parseHost(host.length > longestOrigin ? undefined : host)

/** The option, ready to paste. */
function option(list: List): string {
  const text = list.map((entry) => (typeof entry === 'string' ? `'${entry}'` : String(entry))).join(', ')
  return text.length > longestPaste
    ? `add ${quote(String(list.at(-1)))} to allowedOrigins`
    : `allowedOrigins: [${text}]`
}

/** In characters: a list may have any number of entries. */
const longestPaste = 400

const toAllow = (entry: string | RegExp, list: List): string => `To allow it: ${option([...list, entry])}`

/** A refused handshake of a web page. */
interface RefusedPage extends RefusedOrigin {
  readonly page: ParsedOrigin
  /** The origin as browsers write it. */
  readonly origin: string
  readonly list: List
  /** The effective host. */
  readonly server: ReturnType<typeof parseHost>
}

type Cause = (refused: RefusedPage) => string | undefined

const ownPage: Cause = ({ page, list, effective }) =>
  isSameOrigin(page, effective)
    ? `The page is from this server itself. To allow it: ${option(['same-origin', ...list])}`
    : undefined

const bareDomain: Cause = ({ page, origin, list }) => {
  const wildcard = origin.replace('://', '://*.')
  return list.includes(wildcard)
    ? `'${wildcard}' is for the names below ${page.host}. ${toAllow(origin, list)}`
    : undefined
}

const otherEntry: Cause = ({ page, origin, list }) => {
  const entry = list.find((one) => typeof one === 'string' && parseOrigin(one)?.host === page.host)
  return entry && `'${entry}' has another scheme or port. ${toAllow(origin, list)}`
}

const untrustedProxy: Cause = ({ page, effective, headers, trust }) => {
  const said = { host: first(headers['x-forwarded-host']), scheme: schemeOf(headers['x-forwarded-proto']) }
  const believed = { host: said.host ?? effective.host, scheme: said.scheme ?? effective.scheme }
  // If the scheme is http, the proxy is already trusted.
  if (effective.scheme === 'http' || !isSameOrigin(page, believed)) return undefined
  const fields = [
    ...(said.host === undefined || isSameOrigin(page, { host: effective.host }) ? [] : ['X-Forwarded-Host']),
    ...(effective.scheme === undefined || effective.scheme === page.scheme ? [] : ['X-Forwarded-Proto'])
  ].join(' and ')
  return `${fields} of a proxy would make it the same origin, but that proxy is not trusted. If it is yours: ${trust()}`
}

const overwrittenScheme: Cause = ({ page, effective: { host, scheme }, headers }) =>
  scheme === 'http' && page.scheme === 'https' && isSameOrigin(page, { host })
    ? `The page was loaded over https, but X-Forwarded-Proto says ${quote(first(headers['x-forwarded-proto']))}. A proxy ` +
      'behind the one with TLS overwrites it; have it pass the field on ' +
      '(nginx: proxy_set_header X-Forwarded-Proto $http_x_forwarded_proto;)'
    : undefined

const pageOverHttp: Cause = ({ page, origin, list, effective: { host, scheme } }) =>
  scheme === 'https' && page.scheme === 'http' && isSameOrigin(page, { host })
    ? `The page was loaded over http, the handshake was sent over https. Redirect the page to https. ${toAllow(origin, list)}`
    : undefined

const rewrittenHost: Cause = ({ page, effective, headers, server: { name = '' } }) => {
  // The name of a container, or of an upstream in nginx. In a private network, browsers use such names too.
  const isInternal = /^[\w-]+$/.test(name) && name !== 'localhost'
  const isLocalTarget = isLocal(name) && !isLocal(page.host) && isProxied(headers)
  return effective.host === headers.host && (isInternal || isLocalTarget)
    ? `${otherSite} If it is yours, a proxy may have set Host to ${quote(effective.host)}; have it pass on what the browser ` +
        'sent (nginx: proxy_set_header Host $http_host;)'
    : undefined
}

const missingPort: Cause = ({ page, origin, list, effective, headers, server: { name, port } }) => {
  if (page.host !== name || port !== undefined || page.port === defaultPort(page.scheme) || !isProxied(headers)) {
    return undefined
  }
  const field = effective.host === headers.host ? 'Host' : 'X-Forwarded-Host'
  return (
    `A proxy may have taken the port ${page.port} out of ${field}. Have it keep the port ` +
    `(nginx: proxy_set_header ${field} $http_host; instead of $host). ` +
    `If the page is on another port than this server: ${option([...list, origin])}`
  )
}

const otherLocalName: Cause = ({ page, origin, list, server: { name, port } }) =>
  isLocal(page.host) && isLocal(name) && page.host !== name && page.port === (port ?? defaultPort(page.scheme))
    ? `${page.host} and ${name} are two origins. Use one of them for both the page and its WebSocket. ${toAllow(origin, list)}`
    : undefined

const otherLocalPort: Cause = ({ page, origin, list, server: { name } }) =>
  isLocal(page.host) && isLocal(name)
    ? `The page is on another port, so it has another origin. ${toAllow(origin, list)}\n` +
      'If a dev server forwards its WebSockets, have it keep Host instead (Vite: changeOrigin: false)'
    : undefined

const localPage: Cause = ({ page, origin, list }) =>
  isLocal(page.host)
    ? `The page is on the visitor's own machine: a dev server, or an app (Capacitor on Android). ${toAllow(origin, list)}`
    : undefined

const forwardedPort: Cause = ({ page, origin, list }) =>
  forwardingHost.test(page.host) ? `Each forwarded port has an origin of its own. ${toAllow(origin, list)}` : undefined

const otherPort: Cause = ({ page, origin, list, server: { name } }) =>
  page.host === name
    ? `The page is on another port, so it has another origin. ${toAllow(origin, list)}\n` +
      'If a proxy takes the port out of Host, have it keep the port (nginx: $http_host in place of $host)'
    : undefined

const relatedName: Cause = ({ page, origin, list, server: { name } }) =>
  name !== undefined && (page.host.endsWith(`.${name}`) || name.endsWith(`.${page.host}`))
    ? `${page.host} and ${name} are two origins. If both are yours: ${option([...list, origin])}`
    : undefined

/** Limits a cause to lists with `same-origin`, where the host of the server matters. */
const ofHost =
  (cause: Cause): Cause =>
  (refused) =>
    refused.list.includes('same-origin') ? cause(refused) : undefined

/** In order: the first hint is used. */
const causes: readonly Cause[] = [
  ownPage,
  bareDomain,
  otherEntry,
  ofHost(untrustedProxy),
  ofHost(overwrittenScheme),
  ofHost(pageOverHttp),
  ofHost(rewrittenHost),
  ofHost(missingPort),
  otherLocalName,
  otherLocalPort,
  localPage,
  forwardedPort,
  otherPort,
  relatedName
]

/** This machine, and private networks (RFC 1918, RFC 6762). */
const localHost =
  /^(?:localhost|0\.0\.0\.0|\[::1\]|(?:127|10)(?:\.\d+){3}|192\.168(?:\.\d+){2}|172\.(?:1[6-9]|2\d|3[01])(?:\.\d+){2})$/

const isLocal = (host = ''): boolean => localHost.test(host) || host.endsWith('.localhost') || host.endsWith('.local')

/** Hosts of development environments and tunnels that forward a port. */
const forwardingHost =
  /\.(?:app\.github\.dev|csb\.app|devtunnels\.ms|gitpod\.io|ngrok-free\.(?:app|dev)|ngrok\.(?:app|io)|trycloudflare\.com)$/

const forwardingFields = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip']

/** Whether a request has passed a proxy: it has a field of one, or `Connection` as in the documentation of nginx. */
const isProxied = (headers: IncomingHttpHeaders): boolean =>
  headers.connection === 'upgrade' || forwardingFields.some((name) => headers[name] !== undefined)

/** The first value of a field: proxies append theirs. */
const first = (field: string | string[] | undefined): string | undefined =>
  String(field ?? '')
    .split(',', 1)[0]
    ?.trim() || undefined

const schemeOf = (field: string | string[] | undefined): EffectiveRequest['scheme'] => {
  const scheme = first(field)?.replace(/^ws/, 'http')
  return scheme === 'http' || scheme === 'https' ? scheme : undefined
}
