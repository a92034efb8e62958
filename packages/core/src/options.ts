import type { IncomingMessage } from 'node:http'
import {
  checkNames,
  checkType,
  defaultEndpoint,
  type Endpoint,
  type EndpointOptions,
  endpointOptionNames,
  resolveEndpoint
} from './endpoint.ts'
import type { HandshakeError } from './errors.ts'
import { contain, type FaultContext, type FaultReporter } from './fault.ts'
import { logFault, logRefusal } from './log.ts'
import { type EffectiveRequest, effectiveRequest } from './origin.ts'

/** Options of one attachment: what concerns the server as a whole. */
export interface ServerOptions {
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
   * Scheme and host that the client meant to reach, for the same-origin rule. Behind a proxy that rewrites `Host`,
   * return what it forwards, and only if the proxy is trusted. The adapters ask their framework.
   * @default the field `Host`, and `https` on a TLS connection
   */
  effectiveRequest?: ((req: IncomingMessage) => EffectiveRequest) | undefined
}

/** What `attach` takes: the attachment's own options and the defaults of its endpoints. */
export interface AttachOptions extends EndpointOptions, ServerOptions {}

/** The names of {@link ServerOptions}, for adapters that take both kinds in one object. */
export const serverOptionNames = ['onError', 'onRefused', 'effectiveRequest'] as const satisfies (keyof ServerOptions)[]

/** {@link AttachOptions}, checked, with defaults, ready for use. */
export interface ResolvedOptions {
  readonly endpoint: Endpoint
  /** Options of endpoints that have been resolved before, by identity. */
  readonly endpoints: WeakMap<EndpointOptions, Endpoint>
  readonly onError: FaultReporter
  readonly onRefused: (error: HandshakeError, req: IncomingMessage) => void
  readonly effectiveRequest: (req: IncomingMessage) => EffectiveRequest
}

/**
 * Checks the options of an attachment and fills in what they leave out.
 * @throws TypeError that names the option, what was expected and what came
 */
export function resolveOptions(options: AttachOptions): ResolvedOptions {
  checkNames(options, [...endpointOptionNames, ...serverOptionNames])
  const { onError = logFault, onRefused = logRefusal, effectiveRequest: ask, ...ofEndpoints } = options
  for (const name of serverOptionNames) checkType(name, options[name], 'function')
  const endpoint = resolveEndpoint(ofEndpoints, defaultEndpoint)
  const reportFault: FaultReporter = (error, context) =>
    contain(
      () => onError(error, context),
      (fault) => {
        logFault(error, context)
        logFault(fault, context)
      }
    )
  return {
    endpoint,
    endpoints: new WeakMap(),
    onError: reportFault,
    onRefused: (error, req) =>
      contain(
        () => onRefused(error, req),
        (fault) => reportFault(fault, { phase: 'dispatch', socket: undefined })
      ),
    effectiveRequest: ask ?? effectiveRequest
  }
}

/**
 * Checks what `attach` would take, for adapters that attach later than they get their options.
 * @throws TypeError that names the option, what was expected and what came
 */
export const checkOptions = (options: AttachOptions): void => void resolveOptions(options)
