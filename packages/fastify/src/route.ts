import { checkEndpointOptions, type EndpointOptions, isWebSocketRequest } from '@oneport/core'
import type { FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify'
import type { AnyRoute, WebSocketRouteHandler } from './types.ts'

/**
 * Gives a route with `websocket` or `wsHandler` a handler that accepts handshakes; other routes stay as they are.
 * @throws TypeError for a WebSocket route that has no GET, and for wrong options of an endpoint
 */
export function prepareRoute(route: AnyRoute): void {
  const { websocket, wsHandler } = route
  if (!websocket && wsHandler === undefined) return
  checkRoute(route)
  const options = typeof websocket === 'object' ? websocket : {}
  route.handler =
    wsHandler === undefined
      ? accepting(route.handler as unknown as WebSocketRouteHandler, options)
      : either(accepting(wsHandler, options), route.handler)
}

function checkRoute({ method, url, websocket, wsHandler }: AnyRoute): void {
  if (typeof websocket === 'object') checkEndpointOptions(websocket)
  const methods = [method].flat()
  if (wsHandler !== undefined && typeof wsHandler !== 'function') {
    throw new TypeError(`Route ${url}: wsHandler must be a function (socket, request) => …; got ${String(wsHandler)}`)
  }
  // Fastify adds a HEAD route to each GET route.
  const fit = wsHandler === undefined ? methods.every(isReading) : methods.some(isReading)
  if (!fit) throw new TypeError(`Route ${url}: a WebSocket endpoint needs the method GET; got ${methods.join(', ')}`)
}

const isReading = (method: string): boolean => method === 'GET' || method === 'HEAD'

function accepting(handler: WebSocketRouteHandler, options: EndpointOptions): RouteHandlerMethod {
  return (request: FastifyRequest, reply: FastifyReply) =>
    reply.acceptWebSocket(options, function (socket) {
      return handler.call(this, socket, request)
    })
}

function either(accept: RouteHandlerMethod, handler: RouteHandlerMethod): RouteHandlerMethod {
  return function (request, reply) {
    return (isWebSocketRequest(request.raw) ? accept : handler).call(this, request, reply)
  }
}
