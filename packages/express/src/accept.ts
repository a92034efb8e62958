import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  type AcceptOptions,
  acceptWebSocket as acceptWithoutFramework,
  type CheckedHandshake,
  type EffectiveRequest,
  type EndpointOptions,
  type HandshakeError,
  type WebSocketHandler
} from '@oneport/core'
import {
  agree,
  answerFault,
  asError,
  checkHandshake as checkCoreHandshake,
  checkExchange,
  type FrameworkBinding,
  type HandlerArguments,
  hasDefaults,
  isPrintable,
  isWebSocketRequest,
  splitArguments,
  whenSettled,
  withDefaults
} from '@oneport/core/adapter'
import type { Request } from 'express'
import { warnIfBehindRoutes } from './behind-routes.ts'
import { effectiveRequest } from './effective-request.ts'
import { logOnce } from './log.ts'

/** The options of the endpoint that a request has reached. Only handshakes get defaults on their way. */
export function optionsFor(req: IncomingMessage, options: AcceptOptions | undefined): AcceptOptions | undefined {
  if (!hasDefaults(req) && isWebSocketRequest(req)) warnIfBehindRoutes(req as Request)
  return withDefaults(req, options)
}

/**
 * Accepts the opening handshake of a route: sends the 101 as the route's response, with every header field that
 * middleware has set, and calls `handler` with the open socket in the same tick.
 *
 * A refusal goes to the error middleware of the application as a `HandshakeError`, on Express 4 too. Without error
 * middleware, Express responds with the status and header fields of the error. Error handlers of the route itself do
 * not see it, because Express calls them only for the route's own `next`.
 *
 * @returns a promise that resolves when the 101 was written or the refusal was passed on. A refusal does not reject it,
 * so a route that does not return it can't crash the process.
 */
export function acceptWebSocket<Req extends IncomingMessage>(
  req: Req,
  res: ServerResponse,
  handler: WebSocketHandler<Req>
): Promise<void>
/**
 * Accepts the opening handshake of a route: sends the 101 as the route's response, and calls `handler` with the open
 * socket in the same tick. A refusal goes to the error middleware of the application as a `HandshakeError`.
 *
 * @param options options of this endpoint, which override those of `wsUpgrade`, and the credential of this connection
 * @returns a promise that resolves when the 101 was written or the refusal was passed on. A refusal does not reject it.
 */
export function acceptWebSocket<Req extends IncomingMessage>(
  req: Req,
  res: ServerResponse,
  options: AcceptOptions,
  handler: WebSocketHandler<Req>
): Promise<void>
export function acceptWebSocket<Req extends IncomingMessage>(
  req: Req,
  res: ServerResponse,
  ...given: HandlerArguments<AcceptOptions, WebSocketHandler<Req>>
): Promise<void> {
  // Not as a rejection: in `app.get(path, acceptWebSocket(handler))`, nobody would handle it.
  checkExchange(req, res)
  const [options, handler] = splitArguments(given)
  if ((req as unknown as Request).next !== undefined) return acceptOfRoute(req, res, options, handler, passOn)
  // Outside of Express, for example in a listener that runs before the application.
  const all = optionsFor(req, options) ?? {}
  return acceptWithoutFramework<IncomingMessage>(req, res, all, handler as WebSocketHandler)
}

/**
 * Accepts the opening handshake of a route.
 * @param onError called if a rule refuses or an option is wrong, to answer the client
 */
export function acceptOfRoute<Req extends IncomingMessage>(
  req: Req,
  res: ServerResponse,
  options: AcceptOptions | undefined,
  handler: WebSocketHandler<Req>,
  onError: (req: Request, res: ServerResponse, error: unknown) => void
): Promise<void> {
  const request = req as unknown as Request
  try {
    const agreement = agree(req, optionsFor(req, options), handler, new ExpressBinding(request))
    res.writeHead(101).end()
    return whenSettled(agreement)
  } catch (error) {
    onError(request, res, error)
    return Promise.resolve()
  }
}

/** Passes an error to the error middleware. A rejection would not do, because Express 4 ignores promises of routes. */
export function passOn(req: Request, res: ServerResponse, thrown: unknown): void {
  try {
    if (req.next === undefined) throw thrown
    req.next(isError(thrown) ? thrown : asError(thrown))
  } catch (error) {
    answerFault(req, res, error)
  }
}

/**
 * Whether Express treats a value as an error and can print it. Falsy values and two strings mean something else to
 * `next`.
 */
const isError = (thrown: unknown): boolean =>
  Boolean(thrown) && thrown !== 'route' && thrown !== 'router' && isPrintable(thrown)

/** What core needs from Express for a handshake. */
export class ExpressBinding implements FrameworkBinding {
  readonly #req: Request

  constructor(req: Request) {
    this.#req = req
  }

  effectiveRequest(): EffectiveRequest | undefined {
    return effectiveRequest(this.#req)
  }

  get attachHint(): string {
    return (
      'Add app.use(wsUpgrade()) to the application, before the routes. If the server calls the application through ' +
      'another function, call wsUpgrade().attach(server).'
    )
  }

  trustHint(proxy: string): string {
    return `app.set('trust proxy', '${proxy}')`
  }

  logRefusal(error: HandshakeError): void {
    logOnce(error, this.#req)
  }

  /** The request ID that middleware such as pino-http has set. */
  get requestId(): string | undefined {
    const { id } = this.#req as { id?: unknown }
    return typeof id === 'string' || typeof id === 'number' ? String(id) : undefined
  }
}

/**
 * Checks an opening handshake without accepting it, for middleware that runs before something expensive. Pass what it
 * throws to `next`.
 * @throws HandshakeError with the status and the header fields of the refusal
 */
export function checkHandshake(req: IncomingMessage, options?: EndpointOptions): CheckedHandshake {
  return checkCoreHandshake(req, optionsFor(req, options), new ExpressBinding(req as Request))
}
