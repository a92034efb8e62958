import type { Attachment, AttachOptions, Dispatch, HttpServer } from '@oneport/core'
import { attach, isWebSocketRequest, limitPending } from '@oneport/core/adapter'
import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  preCloseAsyncHookHandler,
  preCloseHookHandler
} from 'fastify'
import { effectiveRequest, type RefusalLog, RequestBinding } from './binding.ts'
import { ClosedLog, hasLogger, logFault, logRefusal, warnOf } from './log.ts'
import { splitOptions, type WsPluginOptions } from './plugin-options.ts'

/** Where an application logs its handshakes and connections. */
export interface Logs {
  /** Undefined where there is no logger: core writes to stderr then. */
  readonly refusals: RefusalLog | undefined
  /** Undefined where nothing is logged, or the application's own `onClosed` does. */
  readonly closed: ClosedLog | undefined
}

const attachments = new WeakMap<object, Attachment>()

/** What a plugin that takes the place of another one does otherwise. */
export interface Deviations {
  /** Takes the handshakes in place of `app.server`. */
  readonly server: HttpServer
  /** Runs in front of the drain when the app closes. */
  readonly preClose: preCloseHookHandler | preCloseAsyncHookHandler
}

/**
 * Lets a server take handshakes for an application until `app.close()`, which drains it: all of the plugin but what its
 * routes do.
 * @param plugin its name, for messages
 * @throws TypeError for wrong options
 * @throws Error where the server has a plugin for WebSockets already
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

/** In front of all other hooks, which may take their time. */
const limitHandshakes =
  (refusals: RefusalLog | undefined) =>
  (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void => {
    const { raw } = request
    try {
      if (isWebSocketRequest(raw)) limitPending(raw, effectiveRequest(request), new RequestBinding(reply, refusals))
    } catch (error) {
      done(error as Error)
      return
    }
    done()
  }

/** Both plugins have the route option `websocket`; their listeners would both answer each handshake. */
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
