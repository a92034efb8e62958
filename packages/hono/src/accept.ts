import type { AcceptOptions, HandshakeResponse, WebSocket } from '@oneport/core'
import { agree, type HandlerArguments, splitArguments } from '@oneport/core/adapter'
import type { Context, TypedResponse } from 'hono'
import type { StatusCode } from 'hono/utils/http-status'
import { ContextBinding } from './binding.ts'
import { exchangeOf } from './exchange.ts'
import { withResponse } from './refusal.ts'

/** Handles one connection. Called with the open socket in the same tick as the 101 is written. */
export type SocketHandler = (socket: WebSocket) => unknown

/** The response to an accepted handshake. Hono's client `hc` has `$ws()` for its route. */
export type SwitchingResponse = Response & TypedResponse<Record<never, never>, StatusCode, 'ws'>

/**
 * The status that Hono sees instead of 101: a `Response` can have 200 to 599 only. No application uses this one, so if
 * it reaches Node's response, nothing on the way has replaced the response. A 101 is sent then.
 */
const switching = 299

/**
 * Accepts the opening handshake of a route. Return the result as the route's response: when all middleware has run, the
 * 101 is sent with every header field that was set, and `handler` is called with the open socket in the same tick. Until
 * then the response has status 299, because a `Response` cannot have 101. If middleware replaces it, or throws, the
 * client gets that response, and no socket is opened.
 *
 * A refusal is thrown as a `HandshakeError`, so `app.onError` gets it. Without `app.onError`, the client gets the status
 * and header fields of the error.
 *
 * @throws HandshakeError if a rule refuses, and for an ordinary request
 * @throws TypeError if an option is wrong
 * @throws Error if the application does not run on `@hono/node-server`
 */
export function acceptWebSocket(c: Context, handler: SocketHandler): SwitchingResponse
/**
 * Accepts the opening handshake of a route, with options. Otherwise as without them.
 *
 * @param options options of this endpoint, which override those of `attach`, and the credential of this connection
 */
export function acceptWebSocket(c: Context, options: AcceptOptions, handler: SocketHandler): SwitchingResponse
export function acceptWebSocket(
  c: Context,
  ...given: HandlerArguments<AcceptOptions, SocketHandler>
): SwitchingResponse {
  try {
    const { incoming, outgoing } = exchangeOf(c, 'acceptWebSocket')
    agree(incoming, ...splitArguments(given), new ContextBinding(c))
    switchProtocols(outgoing)
    return c.body(null, switching as StatusCode) as Response as SwitchingResponse
  } catch (error) {
    throw withResponse(error)
  }
}

/** Sends a 101 when Hono sends the response of {@link acceptWebSocket}. */
function switchProtocols(response: HandshakeResponse): void {
  const { writeHead } = response
  response.writeHead = (status: number, ...rest: unknown[]) => {
    response.writeHead = writeHead
    return Reflect.apply(writeHead, response, [status === switching ? 101 : status, ...rest])
  }
}
