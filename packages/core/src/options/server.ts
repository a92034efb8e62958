import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HandshakeError } from '../errors.ts'
import type { HeartbeatOptions } from '../life/heartbeat.ts'
import { type ConnectionSummary, factsOf } from '../reports/facts.ts'
import { contain, type FaultContext, type FaultReporter } from '../reports/fault.ts'
import { faultReporter, logFault, logRefusal, type RefusalLog } from '../reports/log.ts'
import { isBearerPrefix } from '../rules/bearer.ts'
import { type EffectiveRequest, effectiveRequest } from '../rules/effective.ts'
import { type AllowedHosts, compileHosts, type HostPolicy } from '../rules/host.ts'
import type { WebSocket } from '../websocket.ts'
import { checkCount, checking, checkMilliseconds, checkNames, checkType, expected } from './checks.ts'
import {
  defaultEndpoint,
  type Endpoint,
  type EndpointOptions,
  endpointOptionNames,
  resolveEndpoint
} from './endpoint.ts'
import { serverNames, whereItBelongs } from './names.ts'
import { Recent } from './recent.ts'

/** Options of an attachment that concern the server as a whole. */
export interface ServerOptions {
  /**
   * The hosts that clients may use for this server; see {@link AllowedHosts}. Handshakes for other hosts get 421 (RFC
   * 9110 §15.5.20). Stops DNS rebinding, against which the same-origin rule does not help, because the page and `Host`
   * both have the attacker's name. Checks the effective host: behind a trusted proxy, the one that it forwards. `'any'`
   * turns it off.
   * @default 'any'
   */
  allowedHosts?: AllowedHosts | undefined
  /**
   * Checks that idle clients are still there. A client that has sent nothing for `intervalMs` gets a ping; if nothing
   * arrives within `timeoutMs`, the connection is terminated. `false` turns it off. RFC 6455 §5.5.2.
   * @default { intervalMs: 30_000, timeoutMs: 10_000 }
   */
  heartbeat?: HeartbeatOptions | false | undefined
  /**
   * Time that the application has to answer a handshake, in milliseconds. Then the client gets 503. `Infinity` for no
   * limit.
   * @default 10_000
   */
  handshakeTimeoutMs?: number | undefined
  /**
   * Maximum number of handshakes that wait for the application. More get 503. `Infinity` for no limit.
   * @default 1_000
   */
  maxPendingHandshakes?: number | undefined
  /**
   * Maximum number of handshakes of one client that wait for the application. More get 429. IPv6 addresses count by
   * /64. Behind a proxy that the framework does not trust, all clients have the proxy's address. `Infinity` for no
   * limit.
   * @default a quarter of `maxPendingHandshakes`
   */
  maxPendingHandshakesPerAddress?: number | undefined
  /**
   * Maximum number of open connections. More handshakes get 503. `Infinity` for no limit.
   * @default 50_000
   */
  maxConnections?: number | undefined
  /**
   * Maximum number of open connections of one address. More handshakes get 429. IPv6 addresses count by /64. Behind a
   * proxy that the framework does not trust, all clients have the proxy's address. All forwarded values that
   * are not an address share one count. `Infinity` for no limit.
   * @default Infinity
   */
  maxConnectionsPerAddress?: number | undefined
  /**
   * Decides which handshakes belong to this application, on a server that others share, such as Vite's dev server,
   * Socket.IO or a `ws` server. `true` makes a 404 of the application final. `false` leaves the handshake to the others
   * without calling the application. Must return synchronously. Not called if nothing else listens, nor on HTTP/2.
   * @default the application is called; if it answers 404, others may take it
   */
  claims?: ((req: IncomingMessage) => boolean) | undefined
  /**
   * The prefix of a subprotocol that carries a bearer token. With `'bearer.'` and the offer `['chat.v2',
   * 'bearer.eyJh…']`, the application sees only `chat.v2`, and `Authorization: Bearer eyJh…`, which browsers cannot set
   * themselves. RFC 6750 §2.1.
   * @default none
   */
  bearerSubprotocol?: string | undefined
  /**
   * Called once for each fault that would otherwise end the process. Oneport closes the connection.
   * @default logs the error with its stack to stderr
   */
  onError?: ((error: unknown, context: FaultContext) => void) | undefined
  /**
   * Called for each refused handshake, for the log. `error.detail` contains what the client must not see.
   * @default logs refusals that have a `detail` to stderr
   */
  onRefused?: ((error: HandshakeError, req: IncomingMessage) => void) | undefined
  /**
   * Called once for each connection that has ended, for the log.
   * @default nothing; with Fastify one line in the server's log
   */
  onClosed?: ((socket: WebSocket, summary: ConnectionSummary) => void) | undefined
  /**
   * Returns the scheme, the host and the client address of a request, for the same-origin rule and the limits per
   * address. Behind a trusted proxy, return what it forwards. The adapters use what their framework believes.
   * @default the header field `Host`, and `https` on a TLS connection
   */
  effectiveRequest?: ((req: IncomingMessage) => EffectiveRequest) | undefined
}

/** What an adapter tells about itself when it attaches a server. */
export interface AdapterTraits {
  /**
   * Whether it calls `limitPending` with the client of each handshake, because its framework knows the client's
   * address.
   */
  readonly tellsClients?: boolean
  /** Called with each request and its response over HTTP/1.1 before the application gets them. */
  prepare?(req: IncomingMessage, res: ServerResponse): void
}

/** Options of `attach`: those of the server, and the defaults of all endpoints. */
export interface AttachOptions extends EndpointOptions, ServerOptions {}

const serverOptionNames = Object.keys(serverNames satisfies Record<keyof ServerOptions, unknown>)

/** {@link AttachOptions}, split. Options that are undefined are in neither part. */
export interface SplitOptions {
  /** For `attach`. */
  readonly server: ServerOptions
  /** The defaults of the endpoints. */
  readonly endpoint: EndpointOptions
}

/** Splits the options that adapters take in one object: those of the server, and the defaults of its endpoints. */
export function splitOptions(options: AttachOptions): SplitOptions {
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  const isOfServer = ([name]: [string, unknown]): boolean => Object.hasOwn(serverNames, name)
  return {
    server: Object.fromEntries(given.filter(isOfServer)),
    endpoint: Object.fromEntries(given.filter((option) => !isOfServer(option)))
  }
}

/** {@link AttachOptions}, checked and with defaults. */
export interface ResolvedOptions {
  readonly endpoint: Endpoint
  /** Options of endpoints that were already resolved, by identity. */
  readonly endpoints: WeakMap<EndpointOptions, Endpoint>
  /** The same, for the last ones, by value. */
  readonly recent: Recent<EndpointOptions, Endpoint>
  readonly hosts: HostPolicy
  readonly onError: FaultReporter
  /** @param framework logs the refusal if the application has not set a function */
  readonly onRefused: (error: HandshakeError, req: IncomingMessage, framework?: RefusalLog) => void
  readonly onClosed: ((socket: WebSocket, summary: ConnectionSummary) => void) | undefined
  readonly bearerSubprotocol: string | undefined
  readonly claims: ((req: IncomingMessage) => boolean) | undefined
  readonly effectiveRequest: (req: IncomingMessage) => EffectiveRequest
  /** Who a client is, before the application is called; returns undefined if only the framework knows. */
  readonly clientOf: (req: IncomingMessage) => EffectiveRequest | undefined
  /** Prepares a request and its response for the framework. */
  readonly prepare: AdapterTraits['prepare']
  /** Undefined if it is turned off. */
  readonly heartbeat: Required<{ [Name in keyof HeartbeatOptions]: number }> | undefined
  readonly handshakeTimeoutMs: number
  readonly maxPendingHandshakes: number
  readonly maxPendingHandshakesPerAddress: number
  readonly maxConnections: number
  readonly maxConnectionsPerAddress: number
}

/**
 * Checks the options of an attachment and adds defaults.
 * @param observe called with every fault, before `onError`
 * @throws TypeError that names the option, what was expected, and what it got
 */
export function resolveOptions(
  options: AttachOptions,
  observe?: FaultReporter,
  traits: AdapterTraits = {}
): ResolvedOptions {
  checkServerNames(options)
  const {
    allowedHosts = 'any',
    heartbeat,
    handshakeTimeoutMs = 10_000,
    maxPendingHandshakes = 1_000,
    maxPendingHandshakesPerAddress = Math.ceil(maxPendingHandshakes / 4),
    maxConnections = 50_000,
    maxConnectionsPerAddress = Infinity,
    claims,
    bearerSubprotocol,
    onError = logFault,
    onRefused,
    onClosed,
    effectiveRequest: ask = effectiveRequest,
    ...ofEndpoints
  } = options
  for (const name of ['claims', 'onError', 'onRefused', 'onClosed', 'effectiveRequest'] as const) {
    checkType(name, options[name], 'function')
  }
  if (bearerSubprotocol !== undefined && !isBearerPrefix(bearerSubprotocol)) {
    throw expected('bearerSubprotocol', "the beginning of a subprotocol, such as 'bearer.'", bearerSubprotocol)
  }
  if (handshakeTimeoutMs !== Infinity) checkMilliseconds('handshakeTimeoutMs', handshakeTimeoutMs)
  checkCount('maxPendingHandshakes', maxPendingHandshakes, 'handshakes')
  checkCount('maxPendingHandshakesPerAddress', maxPendingHandshakesPerAddress, 'handshakes')
  checkCount('maxConnections', maxConnections, 'connections')
  checkCount('maxConnectionsPerAddress', maxConnectionsPerAddress, 'connections')
  const endpoint = resolveEndpoint(ofEndpoints, defaultEndpoint)
  const report = faultReporter(onError)
  const reportFault: FaultReporter = (error, context) => {
    observe?.(error, context)
    report(error, context)
  }
  return {
    endpoint,
    endpoints: new WeakMap(),
    recent: new Recent(),
    hosts: compileHosts(allowedHosts),
    onError: reportFault,
    onRefused: (error, req, framework) =>
      contain(
        () => (onRefused === undefined ? logRefusal(error, framework) : onRefused(error, req)),
        (fault) => reportFault(fault, { phase: 'dispatch', request: factsOf(req), socket: undefined })
      ),
    onClosed:
      onClosed === undefined
        ? undefined
        : (socket, summary) =>
            contain(
              () => onClosed(socket, summary),
              (fault) => reportFault(fault, { phase: 'listener', request: summary.request, socket })
            ),
    bearerSubprotocol,
    claims,
    effectiveRequest: ask,
    clientOf: traits.tellsClients ? () => undefined : contained(ask),
    prepare: traits.prepare,
    heartbeat: resolveHeartbeat(heartbeat),
    handshakeTimeoutMs,
    maxPendingHandshakes,
    maxPendingHandshakesPerAddress,
    maxConnections,
    maxConnectionsPerAddress
  }
}

/**
 * Never throws: counting other clients' requests must not fail for this one. A fault is reported when the rules run.
 */
const contained =
  (ask: (req: IncomingMessage) => EffectiveRequest) =>
  (req: IncomingMessage): EffectiveRequest | undefined => {
    try {
      return { address: ask(req).address }
    } catch {
      return undefined
    }
  }

function resolveHeartbeat(heartbeat: HeartbeatOptions | false = {}): ResolvedOptions['heartbeat'] {
  if (heartbeat === false) return undefined
  if (typeof heartbeat !== 'object' || heartbeat === null) {
    throw expected('heartbeat', '{ intervalMs, timeoutMs } or false', heartbeat)
  }
  checkNames(heartbeat, ['intervalMs', 'timeoutMs'], { parent: 'heartbeat' })
  const { intervalMs = 30_000, timeoutMs = 10_000 } = heartbeat
  checkMilliseconds('heartbeat.intervalMs', intervalMs)
  checkMilliseconds('heartbeat.timeoutMs', timeoutMs)
  return { intervalMs, timeoutMs }
}

/**
 * Checks the options of `attach`, for adapters that attach later than they get their options.
 * @param call the function that they were passed to, for the message
 * @param caller the stack of an error starts where this function was called
 * @param others names of the adapter's own options, to suggest for misspelt ones
 * @throws TypeError that names the call, the option, what was expected, and what it got
 */
export const checkOptions = (
  options: AttachOptions,
  call: string,
  caller?: (...args: never[]) => unknown,
  others: readonly string[] = []
): void =>
  void checking(
    call,
    () => {
      checkServerNames(options, others)
      resolveOptions(options)
    },
    caller
  )

const checkServerNames = (options: AttachOptions, others: readonly string[] = []): void =>
  checkNames(options, [...endpointOptionNames, ...serverOptionNames], { others, belongs: whereItBelongs })
