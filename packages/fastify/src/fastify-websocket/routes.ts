import type { WebSocket } from '@oneport/core'
import type { FastifyInstance, FastifyRequest, FastifySchema, RouteHandlerMethod } from 'fastify'
import { accepting, either } from '../route.ts'
import type { AnyRoute } from '../types.ts'

/**
 * An `onRoute` hook that runs before the plugin's own. It makes an endpoint with HEAD alone an ordinary route with 404.
 */
export function leaveHead(route: AnyRoute): void {
  if (!route.websocket || [route.method].flat().some((method) => method !== 'HEAD')) return
  route.websocket = false
  route.schema = { hide: true, ...route.schema } as FastifySchema
  route.handler = notFound
}

/**
 * An `onRoute` hook that runs after the plugin's own. It makes ordinary routes accept handshakes and close the
 * connection, and `{ websocket: true }` routes answer ordinary requests with 404.
 */
export function takeHandshakes(route: AnyRoute): void {
  if (route.wsHandler !== undefined) return
  route.handler = route.websocket
    ? either(route.handler, notFound)
    : either(accepting(closeUnhandled, {}), route.handler)
}

const notFound: RouteHandlerMethod = (_request, reply) => {
  reply.code(404).send()
}

function closeUnhandled(this: FastifyInstance, socket: WebSocket, { url }: FastifyRequest): void {
  this.log.info({ path: url }, 'closed incoming websocket connection for path with no websocket handler')
  socket.close()
}
