import type { WebSocket } from '@oneport/core'
import { isWebSocketRequest } from '@oneport/core/adapter'
import { AdaptedSocketServer } from '@oneport/core/ws-compatibility'
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify'
import { earlierRoutes } from '../earlier-routes.ts'
import { markPlugin } from '../mark-plugin.ts'
import { routePreparation } from '../route.ts'
import { serveWebSockets } from '../serving.ts'
import type { WebSocketRouteHandler as WebsocketHandler } from '../types.ts'
import { acceptVerified } from './accept.ts'
import { withDefaults } from './defaults.ts'
import { injectWS } from './inject.ts'
import { checkOptions, type WebsocketPluginOptions } from './options.ts'
import { leaveHead, takeHandshakes } from './routes.ts'
import { withServerOptions } from './server-options.ts'
import type { WebsocketServer } from './types.ts'
import { warn } from './warn.ts'

/**
 * `wsPlugin` with the behaviour and the interface of `@fastify/websocket`: `request.ws`, `app.websocketServer`,
 * `app.injectWS`, and its options. By default, any web page may connect, and there are no limits. It logs these risks
 * at start-up; set options of `wsPlugin` to avoid them.
 *
 * @throws TypeError if it is registered with an invalid option
 * @throws Error if it is registered twice
 */
export async function fastifyWebsocket(app: FastifyInstance, given: WebsocketPluginOptions): Promise<void> {
  checkOptions(given)
  const { options: serverOptions = {}, errorHandler, preClose = closeAll, handle: _ignored, ...own } = given
  const earlier = earlierRoutes(app, 'fastifyWebsocket')
  if (earlier !== undefined) warn(app, earlier)
  const options = withDefaults(app, withServerOptions(app, own, serverOptions))

  const { verifyClient, clientTracking } = serverOptions
  const listening = serverOptions.server ?? app.server
  const logs = serveWebSockets(app, 'fastifyWebsocket', options, { server: listening, preClose })
  const server = new AdaptedSocketServer({ clientTracking, instead, stop: () => app.websockets.detach() })
  app.decorate('websocketServer', server)
  app.decorate('injectWS', injectWS(app, listening))
  app.decorateRequest('ws', { getter: isHandshake })
  app.decorateReply('acceptWebSocket', acceptVerified({ logs, server, verifyClient, errorHandler }))
  for (const hook of [leaveHead, routePreparation(), takeHandshakes]) app.addHook('onRoute', hook)
  app.addHook('onClose', async () => {
    await new Promise<void>((resolve) => server.close(() => resolve()))
  })
}

/** Events of `ws` that are never emitted here, and what to use instead. */
const instead = new Map([
  ['headers', 'use reply.header() in a hook to set header fields of the 101'],
  ['wsClientError', "use the plugin's option onRefused"]
])

/** The default `preClose`. It sends no close code. */
async function closeAll(this: FastifyInstance): Promise<void> {
  for (const socket of this.websockets.connections) socket.close()
}

function isHandshake(this: FastifyRequest): boolean {
  return isWebSocketRequest(this.raw)
}

// `require()` returns the plugin itself, which also has it under both names.
Object.assign(fastifyWebsocket, { default: fastifyWebsocket, fastifyWebsocket })
markPlugin(fastifyWebsocket, '@oneport/fastify/fastify-websocket')

export declare namespace fastifyWebsocket {
  export type { RouteOptions, WebSocket, WebsocketHandler, WebsocketPluginOptions, WebsocketServer }
  export { fastifyWebsocket, fastifyWebsocket as default }
}
