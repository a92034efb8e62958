import { HandshakeError, type HandshakeRequest, type HandshakeResponse } from '@oneport/core'
import { isWebSocketRequest as isHandshake, show } from '@oneport/core/adapter'
import type { Context } from 'hono'

/** Node's request and its response. `@hono/node-server` passes them in `c.env`, as `HttpBindings` or `Http2Bindings`. */
export interface Exchange {
  readonly incoming: HandshakeRequest
  readonly outgoing: HandshakeResponse
}

/**
 * The exchange of a context.
 * @throws HandshakeError for an ordinary request that has none, as `app.request('/chat')` in a unit test
 * @throws Error for a handshake that has none
 * @throws TypeError if it is not a context
 */
export function exchangeOf(c: Context, call: string): Exchange {
  const { incoming, outgoing } = (c?.env ?? {}) as Partial<Exchange>
  if (incoming !== undefined && outgoing !== undefined) return { incoming, outgoing }
  if (typeof c?.req?.header !== 'function') {
    throw new TypeError(`${call}: expected Hono's context; got ${show(c)}. Call it in a route: (c) => ${call}(c, …)`)
  }
  if (c.req.header('Upgrade') === undefined) {
    throw new HandshakeError(
      'HANDSHAKE_UPGRADE_REQUIRED',
      'This URL is a WebSocket endpoint: connect with a WebSocket client.'
    )
  }
  if (incoming !== undefined) throw new Error(`${call}: ${withoutResponse}`)
  throw new Error(`${call}: expected Node's request and response in c.env; got ${show(c.env)}. ${withoutServer}`)
}

const withoutResponse =
  'the handshake comes from another WebSocket helper of Hono: the option `websocket` of serve(), or injectWebSocket(). ' +
  'Remove it, and call attach(server)'

const withoutServer =
  'Run the application with serve() of @hono/node-server. If you call app.fetch(request, env) yourself, pass on the ' +
  '`env` that you get. app.request() cannot open a WebSocket: use @oneport/testing'

/** Whether a request is an opening handshake, for routes that also answer ordinary requests. */
export function isWebSocketRequest(c: Context): boolean {
  const { incoming } = (c.env ?? {}) as Partial<Exchange>
  return incoming !== undefined && isHandshake(incoming)
}
