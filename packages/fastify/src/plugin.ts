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
 * A plugin for Fastify instances with any server, type provider, logger and version. The Fastify types that this
 * package finds may not be those of the application; for example, NestJS has its own version.
 */
export type WsPlugin = FastifyPluginAsync<WsPluginOptions> &
  ((
    instance: {
      /** The Node server of the instance. */
      readonly server: object
    },
    options: WsPluginOptions
  ) => Promise<void>)

/**
 * Lets a Fastify server accept WebSocket connections on its port. It adds `{ websocket: true }` routes, the route
 * option `wsHandler`, and `reply.acceptWebSocket()`. Register it once, with `await`, before the routes.
 *
 * Handshakes are requests: they go through hooks, validation, the error handler and the request log, and the reply has
 * status 101. `app.close()` closes the connections with 1001 (Going Away) by default.
 *
 * @throws TypeError if it is registered with an invalid option
 * @throws Error if it is registered twice or after routes
 */
export const wsPlugin = markPlugin(plugin, '@oneport/fastify') as WsPlugin
