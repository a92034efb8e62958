import type { IncomingMessage } from 'node:http'
import { HandshakeError } from '../errors.ts'
import {
  aborted,
  conflict,
  type Handshake,
  type HandshakeRequest,
  handshakeOf,
  hasHandshake,
  otherCopyOf,
  tellFramework
} from '../handshake.ts'
import { internalsFor } from '../internals.ts'
import { serverOf } from '../node.ts'
import { inCall, optionError } from '../options/checks.ts'
import { type Endpoint, type EndpointOptions, resolveEndpoint } from '../options/endpoint.ts'
import type { ResolvedOptions } from '../options/server.ts'
import { isAttached, strangerOn } from '../registry.ts'
import { logFault, logRefusal } from '../reports/log.ts'
import { quote } from '../show.ts'
import { version } from '../version.ts'
import type { EffectiveRequest } from './effective.ts'
import type { HostPolicy } from './host.ts'
import { originHint } from './origin-hint.ts'
import { isOpeningHandshake, validateHandshake, validateRequest } from './request.ts'
import { chooseSubprotocol, parseSubprotocols } from './subprotocol.ts'

/** What a framework contributes to a handshake. For adapters; all members are optional. */
export interface FrameworkBinding {
  /**
   * The host, scheme and address that the framework believes, given its settings for proxies; undefined if it trusts
   * none.
   */
  effectiveRequest?(): EffectiveRequest | undefined
  /** The framework's ID of the request, for `onError` and `onClosed`. */
  readonly requestId?: string | undefined
  /** Logs a refusal through the framework, with its request ID, instead of the attachment's `onRefused`. */
  readonly onRefused?: ((error: HandshakeError) => void) | undefined
  /** Logs a refusal if the application has not set `onRefused`, instead of writing to stderr at once. */
  logRefusal?(error: HandshakeError): void
  /** What to call if Oneport does not listen on the server: a sentence for the log, with the framework's own call. */
  readonly attachHint?: string | undefined
  /** Code that makes the application trust a proxy, for the log. */
  trustHint?(proxy: string): string
}

/** The binding of a server without a framework. */
export const noFramework: FrameworkBinding = Object.freeze({})

/** The result of `checkHandshake`. */
export interface CheckedHandshake {
  /** The subprotocol that the 101 will name; undefined for none. */
  readonly subprotocol: string | undefined
}

/**
 * Checks an opening handshake without accepting it, so that middleware can refuse malformed or foreign handshakes
 * before it queries a database. Writes nothing. `acceptWebSocket` checks the same rules again.
 *
 * @param options the options of the endpoint; the defaults are those passed to `attach`
 * @returns the subprotocol that the 101 would name
 * @throws HandshakeError if a rule refuses, with the status and header fields of the answer
 * @throws TypeError if an option is wrong
 */
export function checkHandshake(
  request: HandshakeRequest,
  options?: EndpointOptions,
  framework: FrameworkBinding = noFramework
): CheckedHandshake {
  const other = otherCopyOf(request)
  if (other !== undefined) return other.checkHandshake(request, options, framework)
  const req = request as IncomingMessage
  try {
    const { subprotocol } = checkRules(req, options, framework)
    return { subprotocol }
  } catch (error) {
    reportRefusal(error, req, framework)
    throw inCall(error, 'checkHandshake', checkHandshake)
  }
}

/** A checked handshake, with what is needed to accept it. */
export interface Checked extends CheckedHandshake {
  readonly handshake: Handshake
  readonly endpoint: Endpoint
  readonly effective: EffectiveRequest
}

/** Counts and logs an error if it is a refusal. */
export function reportRefusal(error: unknown, req: IncomingMessage, framework: FrameworkBinding): void {
  if (!(error instanceof HandshakeError)) return
  const handshake = handshakeOf(req)
  if (handshake !== undefined) handshake.report(error, framework)
  else if (framework.onRefused !== undefined) tellFramework(framework, error, logFault, req)
  // An ordinary request to an attached server is no handshake: there is nothing to tell the operator.
  else if (internalsFor(req) === undefined) logRefusal(error, framework)
}

/** Checks the rules, in the order of RFC 6455 §4.2. */
export function checkRules(
  req: IncomingMessage,
  options: EndpointOptions | undefined,
  framework: FrameworkBinding
): Checked {
  const handshake = handshakeOf(req)
  if (handshake === undefined && req.method === 'GET') requireRoom(req, framework)
  // Checked again: middleware may have removed `Upgrade`, so that nothing after it accepts.
  validateRequest(req)
  if (handshake === undefined) throw withoutHandshake(req, framework)
  if (handshake.isTaken) throw conflict(handshake)
  validateHandshake(req)
  const endpoint = endpointFor(handshake.options, options)
  const effective = framework.effectiveRequest?.() ?? handshake.options.effectiveRequest(req)
  checkHost(handshake.options.hosts, effective)
  requireAllowedOrigin(req, endpoint, effective, framework)
  const subprotocol = agreeSubprotocol(req, endpoint)
  if (handshake.connections.draining) throw shuttingDown()
  const { stream } = handshake.rawSocket
  if (stream.destroyed || (handshake.state === 'pending' && !stream.writable)) throw aborted()
  return { handshake, endpoint, subprotocol, effective }
}

/** The refusal while the server drains. */
export const shuttingDown = (): HandshakeError =>
  new HandshakeError('HANDSHAKE_UNAVAILABLE', 'The server is shutting down; connect again in a few seconds.')

/**
 * Refuses an ordinary request where a handshake would find no room. A page cannot see why its handshake was refused, so
 * it asks with such a request, and 426 would tell it that WebSockets cannot get there.
 */
function requireRoom(req: IncomingMessage, framework: FrameworkBinding): void {
  const owner = internalsFor(req)
  if (owner === undefined) return
  const { connections, options } = owner
  if (connections.draining) throw shuttingDown()
  connections.limits.check(framework.effectiveRequest?.() ?? options.effectiveRequest(req))
}

function withoutHandshake({ socket }: IncomingMessage, framework: FrameworkBinding): HandshakeError {
  const server = serverOf(socket)
  if (server === undefined) return notAttached(framework)
  const stranger = strangerOn(server)
  if (stranger !== undefined) return twoVersions(stranger)
  return isAttached(server) ? unreadable() : notAttached(framework)
}

const twoVersions = (other: string): HandshakeError =>
  new HandshakeError(
    'HANDSHAKE_NOT_ATTACHED',
    'This server does not accept WebSocket connections yet.',
    `This server was attached by @oneport/core ${other}, whose handshakes @oneport/core ${version} cannot accept. Use ` +
      'only one version of @oneport/core in the process.'
  )

/**
 * The parser of Node 20 does not recognize the option `Upgrade` next to a tab, and treats it as an ordinary request.
 */
const unreadable = (): HandshakeError =>
  new HandshakeError(
    'HANDSHAKE_UPGRADE_REQUIRED',
    'The header field "Connection" has a tab next to "Upgrade"; expected a space.'
  )

const notAttached = ({ attachHint = 'Call attach(server).' }: FrameworkBinding): HandshakeError =>
  new HandshakeError(
    'HANDSHAKE_NOT_ATTACHED',
    'This server does not accept WebSocket connections yet.',
    'The handshake arrived as an ordinary request, because Oneport does not listen for "upgrade" on this server. ' +
      attachHint
  )

function endpointFor(server: ResolvedOptions, options: EndpointOptions | undefined): Endpoint {
  const { endpoint, endpoints, recent } = server
  if (options === undefined) return endpoint
  return endpoints.get(options) ?? recent.get(options, () => resolveOnce(options, server))
}

function resolveOnce(options: EndpointOptions, { endpoint, endpoints }: ResolvedOptions): Endpoint {
  const resolved = resolveEndpoint(options, endpoint)
  endpoints.set(options, resolved)
  return resolved
}

function checkHost(hosts: HostPolicy, { host }: EffectiveRequest): void {
  if (hosts.allows(host)) return
  throw new HandshakeError(
    'HANDSHAKE_HOST',
    `This server does not answer for the host ${quote(host)}.`,
    `effective host ${quote(host)}, allowed: ${hosts.rule}`,
    { status: 421 }
  )
}

function requireAllowedOrigin(
  { headers, socket }: IncomingMessage,
  { origins, requireOrigin }: Endpoint,
  effective: EffectiveRequest,
  framework: FrameworkBinding
): void {
  const { origin } = headers
  if (origin === undefined ? !requireOrigin : origins.allows(origin, effective)) return
  // Read now: the detail is put together later, if at all, and the object may be the application's.
  const { host, scheme } = effective
  const trust = (): string => {
    const proxy = socket.remoteAddress?.replace('::ffff:', '') ?? 'address of the proxy'
    return framework.trustHint?.(proxy) ?? `attach(server, { effectiveRequest }), which believes ${proxy}`
  }
  throw new HandshakeError(
    'HANDSHAKE_ORIGIN',
    origin === undefined
      ? 'The header field "Origin" is required here.'
      : `Origin ${quote(origin)} is not allowed here.`,
    () =>
      `origin ${quote(origin)}, effective host ${quote(host ?? '(none)')}, scheme ${scheme ?? 'unknown'}, allowed: ${origins.rule}\n` +
      originHint({ origin, list: origins.list, effective: { host, scheme }, headers, trust })
  )
}

/**
 * Checks the host and the origin of an ordinary request with the rules for handshakes, for a URL that serves the same to
 * clients without WebSocket. Browsers leave `Origin` out of some requests. `Sec-Fetch-Site` tells then whether a page of
 * another site has made it; such a page counts as one that may send `Origin: null`.
 * https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header
 *
 * @param server the options of the attachment of the server
 * @returns what the framework believes about the request
 * @throws HandshakeError HANDSHAKE_HOST or HANDSHAKE_ORIGIN
 */
export function checkOrdinaryRequest(
  req: IncomingMessage,
  server: ResolvedOptions,
  options: EndpointOptions | undefined,
  framework: FrameworkBinding
): EffectiveRequest {
  const endpoint = endpointFor(server, options)
  const effective = framework.effectiveRequest?.() ?? server.effectiveRequest(req)
  checkHost(server.hosts, effective)
  const { origin, 'sec-fetch-site': site } = req.headers
  if (origin === undefined && (site === 'cross-site' || site === 'same-site')) {
    if (!endpoint.origins.allows('null', effective)) throw ofOtherSite(site, endpoint)
  } else if (origin !== undefined || site !== 'same-origin') {
    requireAllowedOrigin(req, endpoint, effective, framework)
  }
  return effective
}

const ofOtherSite = (site: string, { origins }: Endpoint): HandshakeError =>
  new HandshakeError(
    'HANDSHAKE_ORIGIN',
    'Pages of other sites are not allowed here.',
    `Sec-Fetch-Site is ${site}, and there is no Origin, allowed: ${origins.rule}`
  )

function agreeSubprotocol(req: IncomingMessage, endpoint: Endpoint): string | undefined {
  const { subprotocols, requireSubprotocol } = endpoint
  const value = req.headers['sec-websocket-protocol']
  const offered = value === undefined ? [] : parseSubprotocols(value)
  if (offered === undefined) {
    // Do not quote the value: it may contain a bearer token, because browsers have no other field for one.
    throw new HandshakeError(
      'HANDSHAKE_SUBPROTOCOL',
      'Expected Sec-WebSocket-Protocol to be a list of unique tokens (RFC 6455 §4.1).'
    )
  }
  const chosen =
    typeof subprotocols === 'function' ? subprotocols(offered, req) : chooseSubprotocol(subprotocols, offered)
  if (chosen !== undefined && !offered.includes(chosen)) {
    throw optionError('subprotocols: the function must return one of the offered names, or undefined')
  }
  if (chosen === undefined && requireSubprotocol) {
    const wanted = typeof subprotocols === 'function' ? '' : `: ${subprotocols.join(', ')}`
    throw new HandshakeError('HANDSHAKE_SUBPROTOCOL', `Offer one of this endpoint's subprotocols${wanted}.`)
  }
  return chosen
}

/**
 * Limits the pending handshakes of one client. For adapters: call it as soon as the framework knows who the client is.
 * Does nothing while few handshakes are pending.
 * @param effective who the client is; by default, what the option `effectiveRequest` returns
 * @param framework logs a refusal
 * @throws HandshakeError HANDSHAKE_TOO_MANY
 */
export function limitPending(
  request: HandshakeRequest,
  effective?: EffectiveRequest,
  framework: FrameworkBinding = noFramework
): void {
  const handshake = handshakeOf(request as IncomingMessage)
  if (handshake === undefined) {
    otherCopyOf(request)?.limitPending(request, effective, framework)
    return
  }
  if (effective !== undefined) handshake.client = effective
  const { maxPendingHandshakesPerAddress: most } = handshake.options
  const { pending } = handshake.connections
  if (pending.size <= most || handshake.clientKey === undefined) return
  let count = 0
  for (const { clientKey } of pending) if (clientKey === handshake.clientKey) count++
  if (count <= most) return
  const error = new HandshakeError(
    'HANDSHAKE_TOO_MANY',
    'Too many handshakes from your address are waiting for an answer; try again in a few seconds.',
    `maxPendingHandshakesPerAddress is ${most}, address ${handshake.clientKey}`
  )
  handshake.report(error, framework)
  // No route has been called yet, so another `upgrade` listener may still take the handshake.
  handshake.isAsked = false
  throw error
}

/** Whether a request is an opening handshake, for routes that also answer ordinary requests. */
export const isWebSocketRequest = (req: HandshakeRequest): boolean => hasHandshake(req) || isOpeningHandshake(req)
