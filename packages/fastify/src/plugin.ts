import type { FastifyPluginAsync } from 'fastify'
import { earlierRoutes } from './earlier-routes.ts'
import { markPlugin } from './mark-plugin.ts'
import type { WsPluginOptions } from './plugin-options.ts'
import { acceptWebSocket } from './reply.ts'
import { routePreparation } from './route.ts'
import { serveWebSockets } from './serving.ts'

const plugin: FastifyPluginAsync<WsPluginOptions> = async (app, options) => {
  const earlier = earlierRoutes(app, 'wsPlugin')
  if (earlier !== undefined) throw new Error(earlier)
  const logs = serveWebSockets(app, 'wsPlugin', options)
  app.decorateReply('acceptWebSocket', acceptWebSocket(logs))
  app.addHook('onRoute', routePreparation())
}

/**
 * A plugin for a Fastify instance of whichever server, type provider, logger and version: the types of Fastify that this
 * package finds are not always the application's. NestJS brings a version of its own.
 */
export type WsPlugin = FastifyPluginAsync<WsPluginOptions> &
  ((
    instance: {
      /** The server of Node. */
      readonly server: object
    },
    options: WsPluginOptions
  ) => Promise<void>)

/**
 * Lets a Fastify server take WebSocket connections on its port: `{ websocket: true }` routes, `wsHandler` beside
 * `handler`, and `reply.acceptWebSocket()`. Register it once, with `await`, before the routes.
 *
 * Handshakes are requests: hooks, validation, the error handler and the request log see them, and 101 is the status
 * of the reply. `app.close()` closes the connections with 1001.
 *
 * @throws TypeError when it is registered with a wrong option
 * @throws Error when it is registered twice or after routes
 */
export const wsPlugin = markPlugin(plugin, '@oneport/fastify') as WsPlugin
