import type { AttachOptions, RequestFacts, WebSocket } from '@oneport/core'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/** The request's id under the name that Fastify logs it with. */
function idField({ initialConfig }: FastifyInstance, { id }: RequestFacts): Record<string, string> {
  const { requestIdLogLabel = 'reqId' } = initialConfig
  return id === undefined ? {} : { [requestIdLogLabel]: id }
}

/** Makes the default `onError`: a line of level error in the server's log. */
export const logFault =
  (app: FastifyInstance): NonNullable<AttachOptions['onError']> =>
  (err, { phase, request }) =>
    app.log.error({ ...idField(app, request), phase, err }, 'fault in a WebSocket connection')

/** Makes the default `onClosed`: a line of level info, unless the server logs no requests. */
export function logClosed(app: FastifyInstance): AttachOptions['onClosed'] {
  if (app.initialConfig.disableRequestLogging === true) return undefined
  return (socket, { request, ...summary }) => {
    if (quiet.has(socket)) return
    app.log.info({ ...idField(app, request), path: request.path, ...summary }, 'WebSocket closed')
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
