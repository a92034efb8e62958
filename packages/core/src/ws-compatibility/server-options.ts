import type { IncomingMessage } from 'node:http'
import type { EndpointOptions } from '../options/endpoint.ts'
import { passedWsNames } from '../options/names.ts'
import type { WsOptions } from '../options/ws.ts'
import { show } from '../show.ts'
import type { VerifyClient } from './verify-client.ts'

/** The options of a `WebSocketServer` of `ws` that an endpoint supports. Others have no effect, as with `ws`. */
export interface WebSocketServerOptions<Offered> extends WsOptions {
  /**
   * Maximum size of a message, in bytes; 0 for no limit. A larger message closes the connection with 1009. Same as
   * `maxPayloadBytes`.
   */
  maxPayload?: number | undefined
  /** Whether to compress messages (RFC 7692): `true`, `false`, or the options of `ws`. */
  perMessageDeflate?: EndpointOptions['perMessageDeflate']
  /** Time for the closing handshake before the connection is cut, in milliseconds. Same as `closeTimeoutMs`. */
  closeTimeout?: number | undefined
  /** Chooses one of the subprotocols that the client offers, or none. Called only if there is an offer. */
  handleProtocols?: ((offered: Offered, req: IncomingMessage) => string | false | undefined) | null | undefined
  /** Called for each handshake. If it refuses, the client gets 401, or the status that it gives. */
  verifyClient?: VerifyClient | null | undefined
  /**
   * Whether the server keeps its open sockets in `clients`.
   * @default true
   */
  clientTracking?: boolean | undefined
}

/** What differs between adapters. */
export interface Translation<Offered> {
  /** The name of the option that holds these options, for error messages. */
  readonly name: string
  /** Options that cannot be set here, each with what to use instead. */
  readonly instead: ReadonlyMap<string, string>
  /** Converts the offered names for `handleProtocols`: `ws` 7 passes an array, `ws` 8 a `Set`. */
  asOffered(names: readonly string[]): Offered
}

/**
 * Translates options of `ws` to options of an endpoint. Options that are not set are undefined.
 * @throws TypeError for an option that cannot be set here, with what to use instead, and for a wrong type
 */
export function translateServerOptions<Offered>(
  given: WebSocketServerOptions<Offered>,
  { name, instead, asOffered }: Translation<Offered>
): EndpointOptions {
  for (const [option, value] of Object.entries(given)) {
    const hint = instead.get(option)
    const isHarmless = value === undefined || value === null || value === false
    if (hint !== undefined && !isHarmless) throw new TypeError(`${name}.${option}: cannot be set here; ${hint}`)
  }
  const { maxPayload, perMessageDeflate, closeTimeout, handleProtocols, ...rest } = given
  for (const [option, value] of Object.entries({ handleProtocols, verifyClient: given.verifyClient })) {
    if (value === undefined || value === null || typeof value === 'function') continue
    throw new TypeError(`${name}.${option}: expected a function; got ${show(value)}`)
  }
  const ws = Object.entries(rest).filter(([option]) => Object.hasOwn(passedWsNames, option))
  return {
    maxPayloadBytes: maxPayload === 0 ? Infinity : maxPayload,
    perMessageDeflate,
    closeTimeoutMs: closeTimeout,
    subprotocols: handleProtocols
      ? (offered, req) => (offered.length > 0 && handleProtocols(asOffered(offered), req)) || undefined
      : undefined,
    ws: ws.length > 0 ? Object.fromEntries(ws) : undefined
  }
}
