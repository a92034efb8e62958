import type { AttachOptions, HandshakeError, RequestFacts, WebSocket } from '@oneport/core'
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

const levels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const

/**
 * Whether an application has a logger. Without one, `app.log` is an object whose methods are one and the same function,
 * which does nothing. A logger of level `silent` counts as one.
 */
export function hasLogger({ log }: Pick<FastifyInstance, 'log'>): boolean {
  const [first, ...others] = levels.map((level) => log[level])
  const isStandIn = first?.length === 0 && others.every((method) => method === first) && log.level === undefined
  return !isStandIn
}

/** How Fastify logs requests. */
interface Controller {
  readonly requestIdLogLabel: string
  isLogDisabled(request: FastifyRequest): boolean
}

/**
 * Fastify stores its `logController` under a private symbol. Earlier versions have none, but the options themselves.
 */
function controllerOf(app: FastifyInstance): Controller {
  for (let owner: object | null = app; owner !== null; owner = Object.getPrototypeOf(owner)) {
    const key = Object.getOwnPropertySymbols(owner).find(({ description }) => description === 'fastify.logController')
    if (key !== undefined) return (owner as Record<symbol, Controller>)[key] as Controller
  }
  const { disableRequestLogging, requestIdLogLabel = 'reqId' } = app.initialConfig
  const isLogDisabled: Controller['isLogDisabled'] = (request) =>
    typeof disableRequestLogging === 'function' ? disableRequestLogging(request) : disableRequestLogging === true
  return { requestIdLogLabel, isLogDisabled }
}

/** A log field with the request ID, under the name that Fastify uses for it. */
const idFields = ({ requestIdLogLabel }: Controller, { id }: RequestFacts): Record<string, string> =>
  id === undefined ? {} : { [requestIdLogLabel]: id }

/** Returns the default `onError`, which logs at level error; undefined if the server has no logger. */
export function logFault(app: FastifyInstance): AttachOptions['onError'] {
  if (!hasLogger(app)) return undefined
  const controller = controllerOf(app)
  return (err, { phase, request }) =>
    app.log.error({ ...idFields(controller, request), phase, err }, 'fault in a WebSocket connection')
}

/**
 * Logs a refusal if the operator probably has to change something. Fastify's default error handler also logs errors,
 * through the logger of the reply. That one is replaced, so that it does not log this error again.
 */
export function logRefusal(reply: FastifyReply, error: HandshakeError): void {
  if (!warnOf(error, reply.log)) return
  reply.log = new Proxy(reply.log, {
    get(log, name) {
      const value: unknown = Reflect.get(log, name)
      if (typeof value !== 'function') return value
      const isTold = (entry: unknown): boolean => (entry as { err?: unknown } | null | undefined)?.err === error
      return (...args: unknown[]) => (isTold(args[0]) ? undefined : Reflect.apply(value, log, args))
    }
  })
}

/** Logs a refusal if it has details for the operator. @returns whether it has */
export function warnOf({ code, detail, message }: HandshakeError, log: FastifyBaseLogger): boolean {
  if (detail !== undefined) log.warn({ code, detail }, message)
  return detail !== undefined
}

/** Logs closed connections. */
export class ClosedLog {
  readonly #app: FastifyInstance
  readonly #controller: Controller
  /** Connections that are not logged, because of the route's `logLevel` or the `logController`. */
  readonly #quiet = new WeakSet<WebSocket>()

  constructor(app: FastifyInstance) {
    this.#app = app
    this.#controller = controllerOf(app)
  }

  /** Decides whether the close will be logged, so that the request and its logger need not be kept until then. */
  begin(socket: WebSocket, request: FastifyRequest): void {
    // Fastify's own logger has this method; a custom logger may not.
    const { isLevelEnabled } = request.log as { isLevelEnabled?: (level: string) => boolean }
    const isTooLow = isLevelEnabled?.call(request.log, 'info') === false
    if (isTooLow || this.#controller.isLogDisabled(request)) this.#quiet.add(socket)
  }

  /** The default `onClosed`: logs at level info. */
  readonly onClosed: NonNullable<AttachOptions['onClosed']> = (socket, { request, ...summary }) => {
    if (this.#quiet.has(socket)) return
    const fields = { ...idFields(this.#controller, request), path: request.path, ...summary }
    this.#app.log.info(fields, 'WebSocket closed')
  }
}
