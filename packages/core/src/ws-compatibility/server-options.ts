import type { IncomingMessage } from 'node:http'
import type { EndpointOptions } from '../options/endpoint.ts'
import type { WsOptions } from '../options/ws.ts'
import { show } from '../show.ts'
import type { VerifyClient } from './verify-client.ts'

/** Options of the `WebSocketServer` of `ws`, as far as an endpoint can have them. Further ones are passed on to `ws`. */
export interface WebSocketServerOptions<Offered> extends WsOptions {
  /** In bytes; 0 for any size. `maxPayloadBytes` is the same. */
  maxPayload?: number | undefined
  /** `perMessageDeflate` of an endpoint is the same. */
  perMessageDeflate?: EndpointOptions['perMessageDeflate']
  /** In milliseconds. `closeTimeoutMs` is the same. */
  closeTimeout?: number | undefined
  /** Picks one of the subprotocols that the client offers, or none. It is called where there are some. */
  handleProtocols?: ((offered: Offered, req: IncomingMessage) => string | false | undefined) | null | undefined
  /** Asked about each handshake; the answer is 401 where it says no. */
  verifyClient?: VerifyClient | null | undefined
  /**
   * Whether the server has `clients`.
   * @default true
   */
  clientTracking?: boolean | undefined
}

/** How one adapter takes these options. */
export interface Translation<Offered> {
  /** Name of the option that has them, for messages. */
  readonly name: string
  /** Options that cannot be set here, and what to do instead. */
  readonly instead: ReadonlyMap<string, string>
  /** Options that the adapter sees to itself. */
  readonly others?: readonly string[]
  /** What `handleProtocols` gets of the names that a client offers: `ws` 7 has a list, `ws` 8 a Set. */
  asOffered(names: readonly string[]): Offered
}

/** Options that concern the server, and no endpoint. */
const ofServer = ['verifyClient', 'clientTracking']

/**
 * The options of an endpoint that stand for options of `ws`; what is not set is undefined.
 * @throws TypeError for an option that cannot be set here, which says what to do instead, and for a wrong one
 */
export function translateServerOptions<Offered>(
  given: WebSocketServerOptions<Offered>,
  { name, instead, others = [], asOffered }: Translation<Offered>
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
  const notForWs = new Set([...ofServer, ...others, ...instead.keys()])
  const ws = Object.entries(rest).filter(([option]) => !notForWs.has(option))
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
