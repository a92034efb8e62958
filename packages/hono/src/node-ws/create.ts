import type { Attachment, AttachOptions, HttpServer, WebSocket } from '@oneport/core'
import { checkOptions } from '@oneport/core/adapter'
import { AdaptedSocketServer, type SocketServer } from '@oneport/core/ws-compatibility'
import type { UpgradeWebSocket } from 'hono/ws'
import { attach } from '../attach.ts'
import { type UpgradeOptions, upgradeInto } from './upgrade-web-socket.ts'

/** The argument of {@link createNodeWebSocket}: that of `@hono/node-ws`, and all options of `attach()`. */
export interface NodeWebSocketInit extends AttachOptions {
  /** Not used: handshakes go through the server's own application. */
  app?: object | undefined
  /** Not used: `c.req.url` is that of the request. */
  baseUrl?: string | URL | undefined
}

/** What {@link createNodeWebSocket} returns. */
export interface NodeWebSocket {
  /** Makes a route a WebSocket endpoint with Hono's own events. */
  upgradeWebSocket: UpgradeWebSocket<WebSocket, UpgradeOptions>
  /** Attaches the server. @throws Error if it is already attached */
  injectWebSocket(server: HttpServer): Attachment
  /** The sockets of all routes, and events about them. */
  wss: SocketServer
}

/**
 * Takes the place of `createNodeWebSocket` of `@hono/node-ws`.
 * @throws TypeError if an option is wrong
 */
export function createNodeWebSocket({ app: _app, baseUrl: _baseUrl, ...options }: NodeWebSocketInit): NodeWebSocket {
  checkOptions(options, 'createNodeWebSocket', createNodeWebSocket, ['app', 'baseUrl'])
  const sockets = {
    isClosed: false,
    server: new AdaptedSocketServer({
      instead,
      stop: () => {
        sockets.isClosed = true
      }
    })
  }
  return {
    upgradeWebSocket: upgradeInto(sockets),
    injectWebSocket: (server) => attach(server, options),
    wss: sockets.server
  }
}

/** Events of `ws` that are never emitted here, and what to use instead. */
const instead = new Map([
  ['headers', 'use c.header() to set header fields of the 101'],
  ['wsClientError', 'use the option onRefused']
])
