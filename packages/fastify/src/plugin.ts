import { type Attachment, type AttachOptions, attach } from '@oneport/core'
import type { FastifyInstance, FastifyPluginCallback } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { acceptWebSocket } from './reply.ts'
import { prepareRoute } from './route.ts'

/** Options of the plugin: the defaults of all endpoints, and what concerns the server as a whole. */
export type WsPluginOptions = Omit<AttachOptions, 'effectiveRequest'>

const attachments = new WeakMap<object, Attachment>()

const plugin: FastifyPluginCallback<WsPluginOptions> = (app, options, done) => {
  if (attachments.has(app.server)) {
    throw new Error('wsPlugin is registered twice on this server; register it once, on the root instance.')
  }
  refuseLateRegistration(app)

  // Through the server's own event: whatever listens for requests (tracing, Fastify itself) sees handshakes too.
  const attachment = attach(app.server, (req, res) => app.server.emit('request', req, res), {
    ...options,
    onError: options.onError ?? ((err, { phase }) => app.log.error({ err, phase }, 'fault in a WebSocket connection'))
  })
  attachments.set(app.server, attachment)

  app.decorate('websockets', attachment)
  app.decorateReply('acceptWebSocket', acceptWebSocket(options.onRefused))
  app.addHook('onRoute', prepareRoute)
  app.addHook('preClose', async () => {
    await attachment.drain()
  })
  app.addHook('onClose', async () => {
    attachments.delete(app.server)
    attachment.detach()
  })
  done()
}

/** Fastify tells of a route once, when it is added; those that came before the plugin can't become endpoints. */
function refuseLateRegistration(app: FastifyInstance): void {
  const earlier = app
    .printRoutes({ commonPrefix: false })
    .split('\n')
    .filter((line) => /\(.*\bGET\b/.test(line))
    .map((line) => line.replace(/^\W+(?=\/|\*)/, ''))
  if (earlier.length === 0) return
  throw new Error(
    `wsPlugin must be registered before the routes: ${earlier.join(', ')} came first and could not become WebSocket ` +
      "endpoints. Put `await app.register(wsPlugin)`, with its 'await', above them."
  )
}

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
export const wsPlugin: FastifyPluginCallback<WsPluginOptions> = fastifyPlugin(plugin, {
  fastify: '5.x',
  name: '@oneport/fastify'
})
