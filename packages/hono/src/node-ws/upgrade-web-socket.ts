import { type EndpointOptions, HandshakeError, type HandshakeRequest, type WebSocket } from '@oneport/core'
import type { AdaptedSocketServer } from '@oneport/core/ws-compatibility'
import { defineWebSocketHelper, type UpgradeWebSocket } from 'hono/ws'
import { acceptWebSocket } from '../accept.ts'
import { isWebSocketRequest } from '../exchange.ts'
import { withResponse } from '../refusal.ts'
import { emitEvents } from './events.ts'

/** The second argument of `upgradeWebSocket`. */
export interface UpgradeOptions extends EndpointOptions {
  /**
   * Called with what an event handler throws or rejects with. The connection stays open.
   * @default `console.error`
   */
  onError?: ((error: unknown) => void) | undefined
}

/** The sockets of one `createNodeWebSocket()`. */
export interface Sockets {
  readonly server: AdaptedSocketServer
  readonly isClosed: boolean
}

/** Creates an `upgradeWebSocket`, whose sockets are added to `sockets`. */
export const upgradeInto = (sockets?: Sockets): UpgradeWebSocket<WebSocket, UpgradeOptions> =>
  defineWebSocketHelper<WebSocket, UpgradeOptions>((c, events, { onError = console.error, ...options } = {}) => {
    // Anything else is for the next handler of the route.
    if (!isWebSocketRequest(c) && c.req.header('Upgrade')?.toLowerCase() !== 'websocket') return undefined
    if (sockets?.isClosed) throw withResponse(new HandshakeError('HANDSHAKE_UNAVAILABLE', 'The server is closed.'))
    const { url } = c.req
    const { incoming } = c.env as { incoming: HandshakeRequest }
    const response = acceptWebSocket(c, { subprotocols: firstOffered, ...options }, (socket) => {
      sockets?.server.add(socket)
      sockets?.server.emit('connection', socket, incoming as never)
      return emitEvents(socket, events, url, onError)
    })
    // Hono ignores the response of a route if middleware has set one before, even an empty one for its header fields.
    if (c.finalized && c.res.ok && c.res.body === null) c.res = response
    return response
  })

/** As `ws` does by default. Clients close a connection for which none of their subprotocols was chosen. */
const firstOffered = ([first]: readonly string[]): string | undefined => first

/**
 * Makes a route a WebSocket endpoint with Hono's own events: `upgradeWebSocket((c) => ({ onOpen, onMessage, onClose,
 * onError }))`. Takes the place of `upgradeWebSocket` of `@hono/node-server` 2. Requests that are not handshakes go to
 * the next handler of the route.
 */
export const upgradeWebSocket: UpgradeWebSocket<WebSocket, UpgradeOptions> = upgradeInto()
