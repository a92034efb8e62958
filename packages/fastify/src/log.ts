import type { AttachOptions, HandshakeError, RequestFacts, WebSocket } from '@oneport/core'
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

const levels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const

/**
 * Whether an application has a logger. Without one, Fastify gives it an object whose methods are one function that does
 * nothing; a logger of level `silent` is one that somebody wanted.
 */
export function hasLogger({ log }: Pick<FastifyInstance, 'log'>): boolean {
  const [first, ...others] = levels.map((level) => log[level])
  const isStandIn = first?.length === 0 && others.every((method) => method === first) && log.level === undefined
  return !isStandIn
}

/** What decides on the lines that Fastify logs of requests. */
interface Controller {
  readonly requestIdLogLabel: string
  isLogDisabled(request: FastifyRequest): boolean
}

/** Fastify has its `logController` under a symbol of its own and shows it nowhere else; earlier versions have none. */
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

/** Gives a request's id the name that Fastify logs it with. */
const idFields = ({ requestIdLogLabel }: Controller, { id }: RequestFacts): Record<string, string> =>
  id === undefined ? {} : { [requestIdLogLabel]: id }

/** Makes the default `onError`: a line of level error in the server's log; undefined where it has none. */
export function logFault(app: FastifyInstance): AttachOptions['onError'] {
  if (!hasLogger(app)) return undefined
  const controller = controllerOf(app)
  return (err, { phase, request }) =>
    app.log.error({ ...idFields(controller, request), phase, err }, 'fault in a WebSocket connection')
}

/**
 * Logs a refusal where it is likely that the operator has to change something. Fastify's default error handler logs what it
 * answers too, through the reply; it does not tell of this error again.
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

/** Logs a refusal that no request of Fastify belongs to. @returns whether there was something to say */
export function warnOf({ code, detail, message }: HandshakeError, log: FastifyBaseLogger): boolean {
  if (detail !== undefined) log.warn({ code, detail }, message)
  return detail !== undefined
}

/** Logs the ends of connections. */
export class ClosedLog {
  readonly #app: FastifyInstance
  readonly #controller: Controller
  /** Connections that are not logged: the route's `logLevel` or the `logController` leaves them out. */
  readonly #quiet = new WeakSet<WebSocket>()

  constructor(app: FastifyInstance) {
    this.#app = app
    this.#controller = controllerOf(app)
  }

  /** Notes whether the end will be logged; the request and its logger are not kept for this. */
  begin(socket: WebSocket, request: FastifyRequest): void {
    // The logger of Fastify has this; one that is brought along may not.
    const { isLevelEnabled } = request.log as { isLevelEnabled?: (level: string) => boolean }
    const isTooLow = isLevelEnabled?.call(request.log, 'info') === false
    if (isTooLow || this.#controller.isLogDisabled(request)) this.#quiet.add(socket)
  }

  /** The default `onClosed`: a line of level info. */
  readonly onClosed: NonNullable<AttachOptions['onClosed']> = (socket, { request, ...summary }) => {
    if (this.#quiet.has(socket)) return
    const fields = { ...idFields(this.#controller, request), path: request.path, ...summary }
    this.#app.log.info(fields, 'WebSocket closed')
  }
}
