import type { Attachment, AttachOptions } from '@oneport/core'
import { attach, isWebSocketRequest, limitPending } from '@oneport/core/adapter'
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { effectiveRequest, type RefusalLog } from './binding.ts'
import { earlierRoutes } from './earlier-routes.ts'
import { closeAll, formerErrorHandler } from './former-behaviour.ts'
import { resolveOptions } from './former-options.ts'
import { injectWS } from './inject.ts'
import { ClosedLog, hasLogger, logFault, logRefusal, warn } from './log.ts'
import { splitOptions, type WsPluginOptions } from './plugin-options.ts'
import { acceptWebSocket } from './reply.ts'
import { routePreparation } from './route.ts'
import { websocketServer } from './websocket-server.ts'

const attachments = new WeakMap<object, Attachment>()

const plugin: FastifyPluginAsync<WsPluginOptions> = async (app, given) => {
  if (attachments.has(app.server)) {
    throw new Error('wsPlugin is registered twice on this server; register it once, on the root instance.')
  }
  const { forCore, forPlugin } = splitOptions(given)
  const { drain, preClose, options: wsOptions } = forPlugin
  const isCompatible = forPlugin.compatibility !== undefined
  refuseFormer(app)
  reportEarlierRoutes(app, isCompatible)
  const options = resolveOptions(app, forCore, wsOptions, isCompatible)
  const { onError, onRefused, onClosed } = options
  const closedLog = onClosed === undefined && hasLogger(app) ? new ClosedLog(app) : undefined

  const all = { ...options, onError: onError ?? logFault(app), onClosed: onClosed ?? closedLog?.onClosed }
  const attachment = attach(app.server, undefined, all, { tellsClients: true })
  attachments.set(app.server, attachment)
  const server = websocketServer(attachment, wsOptions?.clientTracking)
  const acceptance = {
    refusalLog: refusalLog(app, onRefused),
    closedLog,
    websocketServer: server,
    verifyClient: wsOptions?.verifyClient,
    errorHandler: forPlugin.errorHandler ?? (isCompatible ? formerErrorHandler : undefined),
    skipsHooks: isCompatible
  }

  app.decorate('websockets', attachment)
  app.decorate('websocketServer', server)
  app.decorate('injectWS', injectWS(app))
  app.decorateRequest('ws', { getter: isWebSocket })
  app.decorateReply('acceptWebSocket', acceptWebSocket(acceptance))
  app.addHook('onRoute', function (route) {
    if (route.websocket) refuseFormer(this)
  })
  app.addHook('onRoute', routePreparation(isCompatible))
  app.addHook('onRequest', limitHandshakes)
  if (preClose !== undefined || isCompatible) app.addHook('preClose', preClose ?? closeAll)
  app.addHook('preClose', async () => {
    await attachment.drain(drain)
  })
  app.addHook('onClose', async () => {
    attachments.delete(app.server)
    await new Promise<void>((resolve) => server.close(() => resolve()))
  })
}

/** In front of all other hooks, which may take their time. */
function limitHandshakes({ raw }: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void {
  try {
    if (isWebSocketRequest(raw)) limitPending(raw, effectiveRequest(reply.request))
  } catch (error) {
    done(error as Error)
    return
  }
  done()
}

/** Both plugins have the route option `websocket`; their listeners would both answer each handshake. */
const former = '@fastify/websocket'

function refuseFormer(app: FastifyInstance): void {
  if (!app.hasPlugin(former)) return
  throw new Error(
    `wsPlugin and ${former} cannot serve one application: both take the routes with { websocket: true }. Remove ` +
      `${former}; wsPlugin takes its options too, and \`compatibility\` brings its behaviour back.`
  )
}

function isWebSocket(this: FastifyRequest): boolean {
  return isWebSocketRequest(this.raw)
}

/** Ordinary routes may come before `@fastify/websocket`. */
function reportEarlierRoutes(app: FastifyInstance, isAllowed: boolean): void {
  const report = earlierRoutes(app)
  if (report === undefined) return
  if (!isAllowed) throw new Error(report)
  warn(app, report)
}

/** Where refusals go; undefined where there is no logger. */
function refusalLog(app: FastifyInstance, onRefused: AttachOptions['onRefused']): RefusalLog | undefined {
  if (onRefused !== undefined) return ({ raw }, error) => onRefused(error, raw)
  return hasLogger(app) ? logRefusal : undefined
}

/**
 * A plugin for a Fastify instance of whichever server, type provider, logger and version: the types of Fastify that this
 * package finds are not always the application's. NestJS brings a version of its own.
 */
export type WsPlugin = FastifyPluginAsync<WsPluginOptions> &
  ((instance: { readonly server: object }, options: WsPluginOptions) => Promise<void>)

/**
 * Lets a Fastify server take WebSocket connections on its port: `{ websocket: true }` routes, `wsHandler` beside
 * `handler`, and `reply.acceptWebSocket()`. Register it once, with `await`, before the routes. It takes the options of
 * `@fastify/websocket` too.
 *
 * Handshakes are requests: hooks, validation, the error handler and the request log see them, and 101 is the status
 * of the reply. `app.close()` closes the connections with 1001.
 *
 * @throws TypeError when it is registered with a wrong option
 * @throws Error when it is registered twice or after routes
 */
export const wsPlugin = fastifyPlugin(plugin, { fastify: '5.x', name: '@oneport/fastify' }) as WsPlugin
