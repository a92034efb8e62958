import type { IncomingMessage } from 'node:http'
import type { Server } from 'node:net'
import { NotFoundException } from '@nestjs/common'
import type { AbstractHttpAdapter } from '@nestjs/core'
import { isWebSocketRequest, serverOf } from '@oneport/core/adapter'
import type { FrameworkRequest, FrameworkResponse, Next } from './framework.ts'
import { PATH_METADATA } from './nest.ts'

type Handle = (request: FrameworkRequest, response: FrameworkResponse, next?: Next) => Promise<void>

/** Where handshakes reach a handler. */
export interface MountPoint {
  readonly path: string
  /** The server of a port of its own; undefined for that of the application. */
  readonly server: Server | undefined
  readonly handle: Handle
}

/**
 * Adds routes for handshakes, behind all middleware and before the routes of controllers. A port of its own has those of
 * its gateways alone: who opens it to clients may not want to open the rest of the application to them.
 */
export function mount(http: AbstractHttpAdapter, points: readonly MountPoint[]): void {
  const ownServers = new Set(points.flatMap(({ server }) => server ?? []))
  if (http.getType() === 'fastify') mountOnFastify(http.getInstance(), points, ownServers)
  else mountOnExpress(http, points, ownServers)
}

/** The part of Fastify that this file uses. */
interface Fastify {
  readonly server: Server
  hasConstraintStrategy(name: string): boolean
  addConstraintStrategy(strategy: object): void
  route(options: object): void
  addHook(name: 'onRequest', hook: (request: FastifyRequest, reply: FastifyReply, next: () => void) => void): void
}

interface FastifyRequest {
  readonly raw: IncomingMessage
  readonly is404: boolean
  readonly routeOptions: { readonly config: object }
}

interface FastifyReply {
  callNotFound(): void
}

const constraint = 'webSocketServer'

/** Fastify finds these routes for handshakes only, whatever other routes there are. */
function mountOnFastify(fastify: Fastify, points: readonly MountPoint[], ownServers: ReadonlySet<Server>): void {
  if (points.length === 0) return
  if (!fastify.hasConstraintStrategy(constraint)) {
    fastify.addConstraintStrategy({
      name: constraint,
      storage: () => {
        const byServer = new Map<unknown, unknown>()
        return {
          get: (server: unknown) => byServer.get(server) ?? null,
          set: (server: unknown, route: unknown) => void byServer.set(server, route)
        }
      },
      validate: () => {},
      deriveConstraint: (raw: IncomingMessage) => (isWebSocketRequest(raw) ? serverOf(raw.socket) : undefined)
    })
  }
  for (const { path, server = fastify.server, handle } of points) {
    const config = { [constraint]: server }
    fastify.route({ method: 'GET', url: path, handler: handle, constraints: config, config })
  }
  if (ownServers.size === 0) return
  fastify.addHook('onRequest', ({ raw, is404, routeOptions }, reply, next) => {
    const server = serverOf(raw.socket)
    if (server === undefined || !ownServers.has(server) || is404 || constraint in routeOptions.config) next()
    else reply.callNotFound()
  })
}

/** The part of Express that this file uses. */
interface Express {
  readonly router: { readonly stack: Layer[] }
}

interface Layer {
  readonly route?: { readonly stack: readonly { readonly handle: object }[] }
}

/** In Express, the first route that matches wins, and routes can only be added at the end. */
function mountOnExpress(
  http: AbstractHttpAdapter,
  points: readonly MountPoint[],
  ownServers: ReadonlySet<Server>
): void {
  const { stack } = http.getInstance<Express>().router
  const routes = points.map(({ path, server = http.getHttpServer(), handle }) => {
    const here: Handle = async (request, response, next) =>
      serverOf(request.socket) === server ? handle(request, response, next) : next?.()
    http.get(http.normalizePath?.(path) ?? path, here as never)
    return stack.pop() as Layer
  })
  if (ownServers.size > 0) {
    http.use((request: IncomingMessage, _response: object, next: Next) => {
      const server = serverOf(request.socket)
      const isElsewhere = server !== undefined && ownServers.has(server)
      next(isElsewhere ? new NotFoundException(`Cannot ${request.method} ${request.url}`) : undefined)
    })
    routes.push(stack.pop() as Layer)
  }
  const first = stack.findIndex(isOfController)
  stack.splice(first === -1 ? stack.length : first, 0, ...routes)
}

/** Whether a layer is a route of a controller. Nest copies the metadata of the method to its handler. */
const isOfController = ({ route }: Layer): boolean =>
  route?.stack.some(({ handle }) => Reflect.hasMetadata(PATH_METADATA, handle)) ?? false
