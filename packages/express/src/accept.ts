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
  isPrintable,
  splitArguments
} from '@oneport/core/adapter'
import type { Request } from 'express'
import { warnIfBehindRoutes } from './behind-routes.ts'
import { effectiveRequest } from './effective-request.ts'
import { logOnce } from './log.ts'

/** Where a request has the defaults of the endpoints that it may reach, for every copy of this package in the process. */
const defaults = Symbol.for('oneport.express.defaults@1')
type WithDefaults = IncomingMessage & { [defaults]?: EndpointOptions | undefined }

/** Gives the endpoints that a request may reach from here on their defaults, over those that it has already. */
export function setDefaults(req: WithDefaults, options: EndpointOptions): void {
  req[defaults] = withDefaults(req, options)
}

/** Options that have been merged before, by identity: core resolves an object once. */
const merged = new WeakMap<EndpointOptions, WeakMap<EndpointOptions, EndpointOptions>>()

/** The options of an endpoint: its own, and what it leaves out from the `wsUpgrade()` that the request came through. */
function withDefaults(req: WithDefaults, options: AcceptOptions | undefined): AcceptOptions | undefined {
  const passed = req[defaults]
  if (options === undefined || passed === undefined) return options ?? passed
  const known = merged.get(passed) ?? new WeakMap<EndpointOptions, EndpointOptions>()
  merged.set(passed, known)
  const all = known.get(options) ?? merge(passed, options)
  known.set(options, all)
  return all
}

/** The options of an endpoint that a handshake has reached. */
function optionsFor(req: WithDefaults, options: AcceptOptions | undefined): AcceptOptions | undefined {
  if (req[defaults] === undefined) warnIfBehindRoutes(req as Request)
  return withDefaults(req, options)
}

/** What is given as undefined is left out: an option that is forgotten must not undo a stricter default. */
function merge(passed: EndpointOptions, own: EndpointOptions): EndpointOptions {
  return { ...passed, ...Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined)) }
}

/**
 * Accepts the opening handshake of a route: the 101 goes out as the route's response, with every field that middleware
 * set, and `handler` gets the open socket in the same tick.
 *
 * A refusal goes to the error middleware of the application as a `HandshakeError`, on Express 4 too. Without one,
 * Express answers with the error's status and header fields. Error handlers given to the route itself do not see it:
 * Express tells them of nothing but the route's own `next`.
 *
 * @returns a promise that resolves when the 101 has been written or the refusal handed over. It does not reject, so a
 *   route that forgets to return it cannot be used to end the process.
 */
export function acceptWebSocket<Req extends IncomingMessage>(
  req: Req,
  res: ServerResponse,
  handler: WebSocketHandler<Req>
): Promise<void>
/**
 * Accepts the opening handshake of a route, with options for this endpoint or connection. Otherwise as without them.
 *
 * @param options of this endpoint, in place of those given to `wsUpgrade`, and whose connection it is
 * @returns a promise that resolves when the 101 has been written or the refusal handed over. It does not reject.
 */
export function acceptWebSocket<Req extends IncomingMessage>(
  req: Req,
  res: ServerResponse,
  options: AcceptOptions,
  handler: WebSocketHandler<Req>
): Promise<void>
export async function acceptWebSocket<Req extends IncomingMessage>(
  req: Req,
  res: ServerResponse,
  ...given: HandlerArguments<AcceptOptions, WebSocketHandler<Req>>
): Promise<void> {
  checkExchange(req, res)
  const [options, handler] = splitArguments(given)
  const request = req as unknown as Request
  const all = optionsFor(req, options)
  // Outside of Express, such as in a listener in front of the application.
  if (request.next === undefined) {
    return acceptWithoutFramework<IncomingMessage>(req, res, all ?? {}, handler as WebSocketHandler)
  }
  try {
    const agreement = agree(req, all, handler, new ExpressBinding(request))
    res.writeHead(101).end()
    await agreement.settled()
  } catch (error) {
    passOn(request, res, error)
  }
}

/** Hands a fault to the error middleware. Express 4 does not look at the promise that a route returns. */
function passOn(req: Request, res: ServerResponse, thrown: unknown): void {
  try {
    if (req.next === undefined) throw thrown
    req.next(isError(thrown) ? thrown : asError(thrown))
  } catch (error) {
    answerFault(req, res, error)
  }
}

/** Whether Express takes a value for an error, and can print it: `next()` goes on with nothing, and skips with two words. */
const isError = (thrown: unknown): boolean =>
  Boolean(thrown) && thrown !== 'route' && thrown !== 'router' && isPrintable(thrown)

/** How Express takes part in a handshake. */
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
      'Put app.use(wsUpgrade()) on the application, before the routes; where the server calls it through another function, ' +
      'call wsUpgrade().attach(server).'
    )
  }

  trustHint(proxy: string): string {
    return `app.set('trust proxy', '${proxy}')`
  }

  logRefusal(error: HandshakeError): void {
    logOnce(error, this.#req)
  }

  /** What middleware for logs and request ids, such as pino-http, leaves on the request. */
  get requestId(): string | undefined {
    const { id } = this.#req as { id?: unknown }
    return typeof id === 'string' || typeof id === 'number' ? String(id) : undefined
  }
}

/**
 * Checks an opening handshake without accepting it, in middleware that comes before something expensive. Pass what it
 * throws to `next`.
 * @throws HandshakeError with the status and the header fields of the refusal
 */
export function checkHandshake(req: IncomingMessage, options?: EndpointOptions): CheckedHandshake {
  return checkCoreHandshake(req, optionsFor(req, options), new ExpressBinding(req as Request))
}
