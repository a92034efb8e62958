import type { EndpointOptions, WebSocket } from '@oneport/core'
import { checkEndpointOptions, type HandlerArguments, show, splitArguments } from '@oneport/core/adapter'
import type { Context, Env, Next } from 'hono'
import { acceptWebSocket, type SwitchingResponse } from './accept.ts'

/**
 * Handles one connection. Called with the open socket and Hono's context in the same tick as the 101 is written.
 * `c.get()` knows the variables of the application and of the middleware before it.
 *
 * TypeScript does not tell `webSocket()` the path of its route, so `c.req.param()` takes any name.
 */
// A condition, so that TypeScript waits for the type of the route before it gives `c` a type.
export type WebSocketHandler<E extends Env = Env> = E extends Env
  ? (socket: WebSocket, c: Context<E, `/:${string}`>) => unknown
  : never

/** What {@link webSocket} returns: a handler for a route of Hono. */
export type WebSocketRoute<E extends Env = Env> = (
  c: Context<E, string, Record<never, never>>,
  next: Next
) => Promise<SwitchingResponse>

/**
 * Makes a route a WebSocket endpoint: `app.get('/chat', webSocket((socket, c) => …))`. It accepts the handshake as
 * {@link acceptWebSocket} does.
 */
export function webSocket<E extends Env>(handler: WebSocketHandler<E>): WebSocketRoute<E>
/**
 * Makes a route a WebSocket endpoint with options: `app.get('/chat', webSocket({ subprotocols: ['chat.v1'] }, (socket, c)
 * => …))`.
 *
 * @param options options of this endpoint, which override those of `attach`
 * @throws TypeError if an option is wrong
 */
export function webSocket<E extends Env>(options: EndpointOptions, handler: WebSocketHandler<E>): WebSocketRoute<E>
export function webSocket(...given: HandlerArguments<EndpointOptions, WebSocketHandler>): WebSocketRoute {
  const [options = {}, handler] = splitArguments(given)
  checkEndpointOptions(options, 'webSocket')
  if (typeof handler !== 'function') {
    throw new TypeError(`webSocket: expected a handler (socket, c) => …; got ${show(handler)}`)
  }
  return async (c) => acceptWebSocket(c, options, (socket) => handler(socket, c))
}
