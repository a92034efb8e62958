import type { WebSocket } from '@oneport/core'
import type { SocketServer } from '@oneport/core/ws-compatibility'
import type {} from 'fastify'
import type {} from '../types.ts'

/** The supported part of the `WebSocketServer` of `ws`. */
export type WebsocketServer = SocketServer

declare module 'fastify' {
  interface FastifyInstance<RawServer, RawRequest, RawReply, Logger, TypeProvider> {
    /** `app.websockets` with the interface of `ws`: `clients`, `on('connection')`, `close()`. */
    websocketServer: WebsocketServer
    /**
     * Connects a client of `ws` in memory, without a port. Rejects if the handshake is refused. Terminate it after use.
     */
    injectWS: InjectWSFn<RawRequest>
  }

  /** Callbacks of `app.injectWS`. */
  interface InjectWSOption {
    /** Called with the client before it connects. */
    onInit?: (ws: WebSocket) => void
    /** Called with the client when it is open. */
    onOpen?: (ws: WebSocket) => void
  }

  /**
   * Connects a client of `ws` to a path, `/` by default. `upgradeContext` has the header fields of the handshake, and
   * other properties to set on `request.raw`.
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
