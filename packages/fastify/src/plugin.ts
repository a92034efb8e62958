import { type Attachment, type AttachOptions, attach, checkDrainOptions, type DrainOptions } from '@oneport/core'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { logClosed, logFault } from './log.ts'
import { acceptWebSocket } from './reply.ts'
import { routePreparation } from './route.ts'

/** Options of the plugin: the defaults of all endpoints, and what concerns the server as a whole. */
export interface WsPluginOptions extends Omit<AttachOptions, 'effectiveRequest'> {
  /**
   * How `app.close()` takes leave of the open connections.
   * @default { code: 1001, reason: '', spreadMs: 0, deadlineMs: 5_000 }
   */
  drain?: DrainOptions | undefined
}

const attachments = new WeakMap<object, Attachment>()

const plugin: FastifyPluginAsync<WsPluginOptions> = async (
  app,
  given: WsPluginOptions & { logLevel?: unknown; logSerializers?: unknown; prefix?: unknown }
) => {
  if (attachments.has(app.server)) {
    throw new Error('wsPlugin is registered twice on this server; register it once, on the root instance.')
  }
  refuseLateRegistration(app)
  refuseOwned(given)
  // Fastify's own options of a plugin come in the same object.
  const { logLevel: _logLevel, logSerializers: _logSerializers, prefix: _prefix, drain, ...options } = given

  checkDrainOptions(drain)

  // Through the server's own event: whatever listens for requests (tracing, Fastify itself) sees handshakes too.
  const attachment = attach(app.server, (req, res) => app.server.emit('request', req, res), {
    ...options,
    onError: options.onError ?? logFault(app),
    onClosed: options.onClosed ?? logClosed(app)
  })
  attachments.set(app.server, attachment)

  app.decorate('websockets', attachment)
  app.decorateReply('acceptWebSocket', acceptWebSocket(options.onRefused))
  app.addHook('onRoute', routePreparation())
  app.addHook('preClose', async () => {
    await attachment.drain(drain)
  })
  app.addHook('onClose', async () => {
    attachments.delete(app.server)
    attachment.detach()
  })
}

function refuseOwned(options: object): void {
  if (!('effectiveRequest' in options)) return
  throw new TypeError("effectiveRequest: Fastify's option 'trustProxy' decides whose word counts; set that instead")
}

/** Fastify tells of a route once, when it is added; those that came before the plugin can't become endpoints. */
function refuseLateRegistration(app: FastifyInstance): void {
  const earlier = readRoutes(app.printRoutes({ commonPrefix: false, method: 'GET' }))
  if (earlier.length === 0) return
  throw new Error(
    `wsPlugin must be registered before the routes: ${earlier.join(', ')} came first and could not become WebSocket ` +
      "endpoints. Put `await app.register(wsPlugin)`, with its 'await', above them."
  )
}

/** The paths in Fastify's picture of its routes, the one public list of them: a tree, four characters a level. */
function readRoutes(tree: string): string[] {
  const above: string[] = []
  return tree.split('\n').flatMap((line) => {
    const [, indent = '', segment = '', methods] = /^([│├└─ ]+)(.*?)( \([A-Z, ]+\)(?: \{.*\})?)?$/.exec(line) ?? []
    const level = indent.length / 4
    if (segment === '') return []
    above[level] = (above[level - 1] ?? '') + segment
    return methods === undefined ? [] : [above[level]]
  })
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
export const wsPlugin: FastifyPluginAsync<WsPluginOptions> = fastifyPlugin(plugin, {
  fastify: '5.x',
  name: '@oneport/fastify'
})
