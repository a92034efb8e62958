import type { EndpointOptions } from '@oneport/core'
import { checkEndpointOptions, isWebSocketRequest, show } from '@oneport/core/adapter'
import type { FastifyReply, FastifyRequest, FastifySchema, RouteHandlerMethod } from 'fastify'
import type { AnyRoute, WebSocketRouteHandler } from './types.ts'

/**
 * Creates the `onRoute` hook. It replaces the handler of routes with `websocket` or `wsHandler` by one that accepts
 * handshakes. It throws a TypeError for a WebSocket route without GET, and for invalid options.
 */
export function routePreparation(): (route: AnyRoute) => void {
  const endpoints = new Set<string>()
  return (route) => {
    const { websocket, wsHandler } = route
    if (!websocket && wsHandler === undefined) return
    checkRoute(route, endpoints)
    endpoints.add(withoutSlash(route.url))
    const options = typeof websocket === 'object' ? websocket : {}
    if (wsHandler !== undefined) {
      route.handler = either(accepting(wsHandler, options), route.handler)
      return
    }
    // OpenAPI can't describe it.
    route.schema = { hide: true, ...route.schema } as FastifySchema
    route.handler = accepting(route.handler as unknown as WebSocketRouteHandler, options)
  }
}

function checkRoute({ method, url, websocket, wsHandler }: AnyRoute, endpoints: ReadonlySet<string>): void {
  const route = `Route ${url}`
  if (typeof websocket === 'object') checkEndpointOptions(websocket, `${route}: websocket`)
  else if (typeof websocket !== 'boolean' && websocket !== undefined) {
    throw new TypeError(`${route}: websocket must be true, false or options of the endpoint; got ${show(websocket)}`)
  }
  if (wsHandler !== undefined && typeof wsHandler !== 'function') {
    throw new TypeError(`${route}: wsHandler must be a function (socket, request) => …; got ${show(wsHandler)}`)
  }
  const methods = [method].flat()
  // Fastify adds a HEAD route right after each GET route.
  const isAdded = methods.length === 1 && methods[0] === 'HEAD' && endpoints.has(withoutSlash(url))
  const others = methods.filter((name) => name !== 'GET' && name !== 'HEAD')
  if (isAdded || (methods.includes('GET') && (wsHandler !== undefined || others.length === 0))) return
  throw new TypeError(`${route}: a WebSocket endpoint needs the method GET; got ${methods.join(', ')}`)
}

/** Fastify adds a route `/` with a prefix twice, with and without the slash. */
const withoutSlash = (url: string): string => url.replace(/\/$/, '')

/** Creates the handler of a route that accepts handshakes. */
export function accepting(handler: WebSocketRouteHandler, options: EndpointOptions): RouteHandlerMethod {
  return (request: FastifyRequest, reply: FastifyReply) => {
    const accepted = reply.acceptWebSocket(options, function (socket) {
      return handler.call(this, socket, request)
    })
    // Nothing to wait for.
    return reply.sent ? undefined : accepted
  }
}

/** Creates a handler that calls `accept` for handshakes and `handler` for ordinary requests. */
export function either(accept: RouteHandlerMethod, handler: RouteHandlerMethod): RouteHandlerMethod {
  return function (request, reply) {
    return (isWebSocketRequest(request.raw) ? accept : handler).call(this, request, reply)
  }
}
