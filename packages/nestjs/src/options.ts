import type { AcceptOptions, AttachOptions, Credential, DrainOptions, EndpointOptions } from '@oneport/core'
import { checkDrainOptions, checkEndpointOptions, checkOptions, show } from '@oneport/core/adapter'

/**
 * When the guards on the class of a gateway run:
 *
 * * `'handshake'`: once for each connection, before it opens. Their context has the type `http`.
 * * `'messages'`: for each message, as with `WsAdapter`. Their context has the type `ws`. They do not run before the
 *   connection opens.
 * * `'both'`
 */
export type ClassGuards = 'handshake' | 'messages' | 'both'

/** A message, as the methods with `@SubscribeMessage()` handle it. */
export interface ParsedMessage {
  /** The name of the message, in `@SubscribeMessage()`. */
  event: string
  /** What `@MessageBody()` returns. */
  data: unknown
}

/** Converts a message. Returns nothing for a message to ignore. */
// biome-ignore lint/suspicious/noConfusingVoidType: so that a parser written for WsAdapter fits
export type MessageParser = (data: string | Buffer | ArrayBuffer | Buffer[]) => ParsedMessage | void

/** Options of `OneportAdapter`: defaults for all gateways and routes, and options for the whole server. */
export interface OneportOptions extends Omit<AttachOptions, 'effectiveRequest'> {
  /**
   * How `app.close()` closes the open connections.
   * @default { code: 1001, reason: '', spreadMs: 0, deadlineMs: 5_000 }
   */
  drain?: DrainOptions | undefined
  /**
   * When the guards on the classes of gateways run. A gateway can override it.
   * @default 'handshake'
   */
  classGuards?: ClassGuards | undefined
  /**
   * Converts each message that a gateway receives to the event and its data.
   * @default JSON.parse
   */
  messageParser?: MessageParser | undefined
}

/** Options of a route: `@WebSocketRoute(path, options)`. */
export interface RouteOptions extends EndpointOptions {
  /**
   * Returns whose connection it is, and for how long. Called with the request of Express or Fastify when the guards have
   * run, which may have set `request.user`.
   * @default none
   */
  credential?(request: object): Credential
}

/** Options of one gateway: `@WebSocketGateway<GatewayOptions>({ path: '/chat/:room' })`. */
export interface GatewayOptions extends RouteOptions {
  /**
   * The path of the gateway, as in a route of the HTTP framework: `/chat/:room`. It has no global prefix and no version.
   * @default '/'
   */
  path?: string | undefined
  /**
   * When the guards on the class of the gateway run.
   * @default the option of the adapter
   */
  classGuards?: ClassGuards | undefined
}

/** {@link OneportOptions}, checked and split. */
export interface SplitOptions {
  readonly forCore: AttachOptions
  readonly drain: DrainOptions | undefined
  readonly classGuards: ClassGuards
  readonly messageParser: MessageParser | undefined
}

/** @throws TypeError that names the option, what it expects and what it got */
export function splitOptions(given: OneportOptions): SplitOptions {
  if ('effectiveRequest' in given) {
    throw new TypeError(
      "OneportAdapter: effectiveRequest cannot be set here; use app.set('trust proxy', …) with Express, or new " +
        'FastifyAdapter({ trustProxy }), to trust a proxy'
    )
  }
  const { classGuards = 'handshake', drain, messageParser, ...forCore } = given
  checkDrainOptions(drain, 'OneportAdapter: drain')
  checkOptions(forCore, 'OneportAdapter', splitOptions, ['classGuards', 'drain', 'messageParser'])
  checkClassGuards(classGuards, 'OneportAdapter')
  if (messageParser !== undefined) checkMessageParser(messageParser, 'OneportAdapter: messageParser')
  return { forCore, drain, classGuards, messageParser }
}

/** @throws TypeError if the parser is no function */
export function checkMessageParser(parser: unknown, call: string): void {
  if (typeof parser === 'function') return
  throw new TypeError(`${call}: expected a function (data) => …; got ${show(parser)}`)
}

/** Options of other adapters, and what to use instead. */
const instead: Readonly<Record<string, string>> = {
  namespace: 'use path, which may have parameters',
  cors: 'use allowedOrigins',
  verifyClient: 'use a guard',
  handleProtocols: 'use subprotocols',
  maxPayload: 'use maxPayloadBytes'
}

/** @throws TypeError that names the gateway, the option, what it expects and what it got */
export function splitGatewayOptions(
  given: GatewayOptions,
  gateway: string,
  defaults: ClassGuards
): { path: string; classGuards: ClassGuards; endpoint: RouteOptions } {
  const { path = '/', classGuards = defaults, ...endpoint } = given
  if (typeof path !== 'string') throw new TypeError(`${gateway}: path: expected a string; got ${show(path)}`)
  for (const name of Object.keys(endpoint)) {
    if (name in instead) throw new TypeError(`${gateway}: ${name} is an option of another adapter; ${instead[name]}`)
  }
  checkClassGuards(classGuards, gateway)
  checkRouteOptions(endpoint, gateway)
  return { path: normalizePath(path), classGuards, endpoint }
}

/** A path as Nest compares them: with a slash in front, and without one at its end. */
export function normalizePath(path: string): string {
  let [start, end] = [0, path.length]
  while (path[start] === '/') start++
  while (end > start && path[end - 1] === '/') end--
  return `/${path.slice(start, end)}`
}

/** @throws TypeError that names the call, the option, what it expects and what it got */
export function checkRouteOptions({ credential, ...endpoint }: RouteOptions, call: string): void {
  checkEndpointOptions(endpoint, call)
  if (credential === undefined || typeof credential === 'function') return
  throw new TypeError(`${call}: credential: expected a function (request) => …; got ${show(credential)}`)
}

/** The options of one connection. Without a credential, it returns the same object, which core resolves once. */
export function optionsOf(options: RouteOptions): (request: object) => AcceptOptions {
  const { credential, ...endpoint } = options
  return credential === undefined ? () => endpoint : (request) => ({ ...endpoint, ...credential(request) })
}

function checkClassGuards(value: unknown, call: string): void {
  if (value === 'handshake' || value === 'messages' || value === 'both') return
  throw new TypeError(`${call}: classGuards: expected 'handshake', 'messages' or 'both'; got ${show(value)}`)
}
