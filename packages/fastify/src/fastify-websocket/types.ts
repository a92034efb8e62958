import type { WebSocket } from '@oneport/core'
import type { SocketServer } from '@oneport/core/ws-compatibility'
import type {} from 'fastify'
import type {} from '../types.ts'

/** What is left of the `WebSocketServer` of `ws`. */
export type WebsocketServer = SocketServer

declare module 'fastify' {
  interface FastifyInstance<RawServer, RawRequest, RawReply, Logger, TypeProvider> {
    /** `app.websockets` in words of `ws`: `clients`, `on('connection')`, `close()`. */
    websocketServer: WebsocketServer
    /** Connects a client of `ws` without a port; rejects where the handshake is refused. Terminate it at the end. */
    injectWS: InjectWSFn<RawRequest>
  }

  /** Callbacks of `app.injectWS`. */
  interface InjectWSOption {
    /** Called when there is a client, before it connects. */
    onInit?: (ws: WebSocket) => void
    /** Called when it is open. */
    onOpen?: (ws: WebSocket) => void
  }

  /**
   * Connects a client of `ws` to a path, `/` by default. `upgradeContext` is what the raw request has: header fields,
   * and whatever else is to be on `request.raw`.
   */
  type InjectWSFn<RawRequest> = (
    path?: string,
    upgradeContext?: Partial<RawRequest>,
    options?: InjectWSOption
  ) => Promise<WebSocket>

  interface FastifyRequest {
    /** Whether this is the opening handshake of a WebSocket. */
    readonly ws: boolean
  }
}
