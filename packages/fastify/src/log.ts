import type { AttachOptions, RequestFacts, WebSocket } from '@oneport/core'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/** Gives a request's id the name that Fastify logs it with. */
function idFields({ initialConfig }: FastifyInstance): (request: RequestFacts) => Record<string, string> {
  const { requestIdLogLabel = 'reqId' } = initialConfig
  return ({ id }) => (id === undefined ? {} : { [requestIdLogLabel]: id })
}

/** Makes the default `onError`: a line of level error in the server's log. */
export function logFault(app: FastifyInstance): NonNullable<AttachOptions['onError']> {
  const idOf = idFields(app)
  return (err, { phase, request }) => app.log.error({ ...idOf(request), phase, err }, 'fault in a WebSocket connection')
}

/** Makes the default `onClosed`: a line of level info, unless the server logs no requests. */
export function logClosed(app: FastifyInstance): AttachOptions['onClosed'] {
  // Without a logger Fastify has one that does nothing, by one function for all levels.
  const isSilent = app.log.info === app.log.error
  if (isSilent || app.initialConfig.disableRequestLogging === true) return undefined
  const idOf = idFields(app)
  return (socket, { request, ...summary }) => {
    if (quiet.has(socket)) return
    app.log.info({ ...idOf(request), path: request.path, ...summary }, 'WebSocket closed')
  }
}

/** Connections of routes whose `logLevel` leaves out what is of level info. */
const quiet = new WeakSet<WebSocket>()

/** Notes at which level a connection's route logs; the request's own logger is not kept for this. */
export function noteLogLevel(socket: WebSocket, { log }: FastifyRequest): void {
  // The logger of Fastify has this; one that is brought along may not.
  const { isLevelEnabled } = log as { isLevelEnabled?: (level: string) => boolean }
  if (isLevelEnabled?.call(log, 'info') === false) quiet.add(socket)
}
