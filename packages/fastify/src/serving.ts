import type { Attachment, AttachOptions, Dispatch, HttpServer } from '@oneport/core'
import { attach, isWebSocketRequest, limitPending } from '@oneport/core/adapter'
import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  preCloseAsyncHookHandler,
  preCloseHookHandler
} from 'fastify'
import { type RefusalLog, RequestBinding } from './binding.ts'
import { ClosedLog, hasLogger, logFault, logRefusal, warnOf } from './log.ts'
import { splitOptions, type WsPluginOptions } from './plugin-options.ts'

/** How an application logs its handshakes and connections. */
export interface Logs {
  /** Undefined if there is no logger; core writes to stderr then. */
  readonly refusals: RefusalLog | undefined
  /** Undefined if there is no logger, or the application has its own `onClosed`. */
  readonly closed: ClosedLog | undefined
}

const attachments = new WeakMap<object, Attachment>()

/** Differences of a plugin that replaces another one. */
export interface Deviations {
  /** The server that handshakes arrive at, in place of `app.server`. */
  readonly server: HttpServer
  /** Runs before the drain when the application closes. */
  readonly preClose: preCloseHookHandler | preCloseAsyncHookHandler
}

/**
 * Attaches a server to an application until `app.close()`, which drains it. This is all of the plugin except its
 * routes.
 * @param plugin the name of the plugin, for messages
 * @throws TypeError for invalid options
 * @throws Error if the server already has a WebSocket plugin
 */
export function serveWebSockets(
  app: FastifyInstance,
  plugin: string,
  given: WsPluginOptions,
  deviations?: Deviations
): Logs {
  const { server, preClose } = deviations ?? { server: app.server }
  if (attachments.has(server)) {
    throw new Error('@oneport/fastify is registered twice on this server; register it once, on the root instance.')
  }
  refuseFastifyWebsocket(app)
  const { forCore, drain } = splitOptions(given, plugin)
  const { onError, onRefused, onClosed } = forCore
  const closed = onClosed === undefined && hasLogger(app) ? new ClosedLog(app) : undefined
  const refusals = refusalLog(app, onRefused)
  const options = {
    ...forCore,
    onError: onError ?? logFault(app),
    onRefused: onRefused ?? (refusals && ((error) => void warnOf(error, app.log))),
    onClosed: onClosed ?? closed?.onClosed
  }
  const dispatch: Dispatch = (req, res) => app.server.emit('request', req, res)
  const attachment = attach(server, server === app.server ? undefined : dispatch, options, { tellsClients: true })
  attachments.set(server, attachment)

  app.decorate('websockets', attachment)
  app.addHook('onRoute', function (route) {
    if (route.websocket) refuseFastifyWebsocket(this)
  })
  app.addHook('onRequest', limitHandshakes(refusals))
  if (preClose !== undefined) app.addHook('preClose', preClose)
  app.addHook('preClose', async () => {
    await attachment.drain(drain)
  })
  app.addHook('onClose', async () => {
    attachments.delete(server)
    attachment.detach()
  })
  return { refusals, closed }
}

/** Runs before all other hooks, because they may be slow. */
const limitHandshakes =
  (refusals: RefusalLog | undefined) =>
  (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void => {
    const { raw } = request
    try {
      if (isWebSocketRequest(raw)) {
        const binding = new RequestBinding(reply, refusals)
        limitPending(raw, binding, binding)
      }
    } catch (error) {
      done(error as Error)
      return
    }
    done()
  }

/** Both plugins define the route option `websocket`, and both would answer each handshake. */
const fastifyWebsocket = '@fastify/websocket'

function refuseFastifyWebsocket(app: FastifyInstance): void {
  if (!app.hasPlugin(fastifyWebsocket)) return
  throw new Error(
    `@oneport/fastify and ${fastifyWebsocket} cannot serve one application: both take the routes with { websocket: true }. ` +
      `Remove ${fastifyWebsocket}; @oneport/fastify/fastify-websocket takes its place, with its options.`
  )
}

function refusalLog(app: FastifyInstance, onRefused: AttachOptions['onRefused']): RefusalLog | undefined {
  if (onRefused !== undefined) return ({ request }, error) => onRefused(error, request.raw)
  return hasLogger(app) ? logRefusal : undefined
}
