import type { IncomingMessage } from 'node:http'
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

/** Options of one attachment: what concerns the server as a whole. */
export interface ServerOptions {
  /**
   * The host names that clients may use for this server; see {@link AllowedHosts}. Handshakes for another one get 421
   * (RFC 9110 §15.5.20). It stops DNS rebinding, which the same-origin rule lets through: the page's name and `Host` are
   * both the attacker's. Compared is the effective host: behind a trusted proxy, what it forwards.
   * @default 'any'
   */
  allowedHosts?: AllowedHosts | undefined
  /**
   * Checks that silent clients are still there: a ping after `intervalMs` without a received byte, and an end to the
   * connection when nothing comes in `timeoutMs` after it. `false` turns it off.
   * @default { intervalMs: 30_000, timeoutMs: 10_000 }
   */
  heartbeat?: HeartbeatOptions | false | undefined
  /**
   * Time that the application has to answer a handshake, in milliseconds; then the client gets 503. `Infinity` waits.
   * @default 10_000
   */
  handshakeTimeoutMs?: number | undefined
  /**
   * Handshakes that may wait for the application at one time; more get 503. `Infinity` lets any number wait.
   * @default 1_000
   */
  maxPendingHandshakes?: number | undefined
  /**
   * Handshakes of one client that may wait at one time; more get 429. IPv6 counts by /64. Behind a proxy that the
   * framework is not told to trust, every client has the proxy's address. `Infinity` lets one client have all of them.
   * @default a quarter of `maxPendingHandshakes`
   */
  maxPendingHandshakesPerAddress?: number | undefined
  /**
   * Connections that may be open at one time; more get 503. `Infinity` takes any number.
   * @default 50_000
   */
  maxConnections?: number | undefined
  /**
   * Connections that one address may have at one time; more get 429. IPv6 counts by /64. Behind a proxy that the
   * framework is not told to trust, every client has the proxy's address. What is no address counts as one unknown address.
   * @default Infinity
   */
  maxConnectionsPerAddress?: number | undefined
  /**
   * Decides which handshakes are this application's on a server that others share: Vite's dev server, Socket.IO, a `ws`
   * server. `true` makes a 404 of the application final; `false` leaves the handshake to the others without asking the
   * application. It is not asked where nobody else listens, nor on HTTP/2.
   * @default the application is asked, and what it answers 404 is left to the others
   */
  claims?: ((req: IncomingMessage) => boolean) | undefined
  /**
   * Takes a bearer token out of the offered subprotocols: of `['chat.v2', 'bearer.eyJh…']` with `'bearer.'` the
   * application sees `chat.v2` and `Authorization: Bearer eyJh…`. A browser can't set `Authorization` itself.
   * RFC 6750 §2.1.
   * @default none
   */
  bearerSubprotocol?: string | undefined
  /**
   * Called once for each fault that would otherwise end the process. The connection is closed by itself.
   * @default one line on stderr
   */
  onError?: ((error: unknown, context: FaultContext) => void) | undefined
  /**
   * Called for each refused handshake, for the log; `error.detail` holds what the client must not see.
   * @default one line on stderr for a refused origin, nothing for the other refusals
   */
  onRefused?: ((error: HandshakeError, req: IncomingMessage) => void) | undefined
  /**
   * Called once for each connection that has ended, for the log.
   * @default nothing; with Fastify one line in the server's log
   */
  onClosed?: ((socket: WebSocket, summary: ConnectionSummary) => void) | undefined
  /**
   * Scheme and host that the client meant to reach, for the same-origin rule. Behind a proxy that rewrites `Host`,
   * return what it forwards, and only if the proxy is trusted. The adapters ask their framework.
   * @default the field `Host`, and `https` on a TLS connection
   */
  effectiveRequest?: ((req: IncomingMessage) => EffectiveRequest) | undefined
}

/** What an adapter says of itself when it attaches a server. */
export interface AdapterTraits {
  /** Whether it calls `limitPending` with each handshake's client, whom its framework knows better than core. */
  readonly tellsClients?: boolean
}

/** What `attach` takes: the attachment's own options and the defaults of its endpoints. */
export interface AttachOptions extends EndpointOptions, ServerOptions {}

const serverOptionNames = Object.keys(serverNames satisfies Record<keyof ServerOptions, unknown>)

/** {@link AttachOptions} by what they concern; what is not given, or given as undefined, is in neither part. */
export interface SplitOptions {
  readonly server: ServerOptions
  readonly endpoint: EndpointOptions
}

/** Parts the options that adapters take in one object: those of the server as a whole, and the defaults of its endpoints. */
export function splitOptions(options: AttachOptions): SplitOptions {
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  const isOfServer = ([name]: [string, unknown]): boolean => Object.hasOwn(serverNames, name)
  return {
    server: Object.fromEntries(given.filter(isOfServer)),
    endpoint: Object.fromEntries(given.filter((option) => !isOfServer(option)))
  }
}

/** {@link AttachOptions}, checked, with defaults, ready for use. */
export interface ResolvedOptions {
  readonly endpoint: Endpoint
  /** Options of endpoints that have been resolved before, by identity. */
  readonly endpoints: WeakMap<EndpointOptions, Endpoint>
  readonly hosts: HostPolicy
  readonly onError: FaultReporter
  /** @param framework logs it where the application gives no function */
  readonly onRefused: (error: HandshakeError, req: IncomingMessage, framework?: RefusalLog) => void
  readonly onClosed: ((socket: WebSocket, summary: ConnectionSummary) => void) | undefined
  readonly bearerSubprotocol: string | undefined
  readonly claims: ((req: IncomingMessage) => boolean) | undefined
  readonly effectiveRequest: (req: IncomingMessage) => EffectiveRequest
  /** Who a client is before the application is asked; undefined where only the framework knows. */
  readonly clientOf: (req: IncomingMessage) => EffectiveRequest | undefined
  /** Undefined where there is none. */
  readonly heartbeat: Required<{ [Name in keyof HeartbeatOptions]: number }> | undefined
  readonly handshakeTimeoutMs: number
  readonly maxPendingHandshakes: number
  readonly maxPendingHandshakesPerAddress: number
  readonly maxConnections: number
  readonly maxConnectionsPerAddress: number
}

/**
 * Checks the options of an attachment and fills in what they leave out.
 * @param observe is told of every fault before `onError` is
 * @throws TypeError that names the option, what was expected and what it got
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
    heartbeat: resolveHeartbeat(heartbeat),
    handshakeTimeoutMs,
    maxPendingHandshakes,
    maxPendingHandshakesPerAddress,
    maxConnections,
    maxConnectionsPerAddress
  }
}

/** What is asked of other clients' requests must not fail for this one; its own fails when it is checked. */
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
 * Checks what `attach` would take, for adapters that attach later than they get their options.
 * @param call who was given them, for the message
 * @param caller the stack of an error begins where this one was called
 * @param others further names that the adapter takes itself, and that may be misspelt
 * @throws TypeError that names the call, the option, what was expected and what it got
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
