import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import type { AttachOptions, EndpointOptions } from '@oneport/core'
import { show } from '@oneport/core/adapter'
import type { FastifyInstance } from 'fastify'
import { warn } from './log.ts'

/** What `verifyClient` is asked about. */
export interface VerifyClientInfo {
  readonly origin: string
  readonly secure: boolean
  readonly req: IncomingMessage
}

/** The verdict of a `verifyClient` with two parameters; what is left out is 401, and the name of the status. */
export type VerifyClientCallback = (
  isWelcome: boolean,
  code?: number,
  message?: string,
  headers?: OutgoingHttpHeaders
) => void

/**
 * Decides whether a handshake may go on: it returns that, or a promise of it. One with two parameters calls back.
 */
export type VerifyClient = (info: VerifyClientInfo, callback: VerifyClientCallback) => unknown

type HandleProtocols = (protocols: Set<string>, request: IncomingMessage) => string | false

/** Options of `ws` as `@fastify/websocket` takes them. Those that are not named here go to `ws` as they are. */
export interface WebSocketServerOptions extends NonNullable<EndpointOptions['ws']> {
  /** As `maxPayloadBytes`; 0 for any size. */
  maxPayload?: number | undefined
  /** As the plugin's own option of this name. */
  perMessageDeflate?: EndpointOptions['perMessageDeflate']
  /** As `closeTimeoutMs`. */
  closeTimeout?: number | undefined
  /** As `subprotocols`; it is called where the client offers some, and may answer one of them or false. */
  handleProtocols?: HandleProtocols | undefined
  /** Asked about each handshake that a route would accept, behind the hooks; 401 where it says no. */
  verifyClient?: VerifyClient | undefined
  /** Whether `app.websocketServer.clients` is there. */
  clientTracking?: boolean | undefined
  /** Without effect, as in `@fastify/websocket`. */
  host?: string | undefined
  /** Without effect, as in `@fastify/websocket`. */
  backlog?: number | undefined
}

/**
 * The options of core, with what `options` says in words of `ws`, and with the defaults of `@fastify/websocket` if they
 * are wanted.
 * @throws TypeError for an option of `ws` that cannot be set here, and for what is set twice
 */
export function resolveOptions(
  app: FastifyInstance,
  own: AttachOptions,
  wsOptions: WebSocketServerOptions | undefined,
  isCompatible: boolean
): AttachOptions {
  const combined = wsOptions === undefined ? own : combine(own, translate(app, wsOptions))
  return isCompatible ? withFormerDefaults(app, combined) : combined
}

/** What cannot be set here, and what to do instead. */
const refused: Record<string, string> = {
  noServer: 'the plugin serves app.server; for a WebSocket server of its own, use ws or attach() of @oneport/core',
  server: 'the plugin serves app.server; give Fastify your server with Fastify({ serverFactory })',
  path: "use a route, such as app.get('/path', { websocket: true }, handler)",
  port: 'use app.listen({ port })',
  WebSocket: 'use listeners on the socket that the handler gets'
}

/** What says something about a server of its own. */
const withoutEffect = ['host', 'backlog'] as const

/** Options that are no options of core's `ws`. */
const ownNames = new Set(['verifyClient', 'clientTracking', ...withoutEffect, ...Object.keys(refused)])

function translate(app: FastifyInstance, options: WebSocketServerOptions): AttachOptions {
  for (const [name, instead] of Object.entries(refused)) {
    const value = (options as Record<string, unknown>)[name]
    const isHarmless = value === undefined || value === null || value === false || value === app.server
    if (!isHarmless) throw new TypeError(`options.${name}: cannot be set here; ${instead}`)
  }
  for (const name of withoutEffect) {
    if (options[name] !== undefined) warn(app, `options.${name} has no effect; use app.listen({ ${name} })`)
  }
  const { maxPayload, perMessageDeflate, closeTimeout, handleProtocols, ...others } = options
  for (const [name, value] of Object.entries({ handleProtocols, verifyClient: options.verifyClient })) {
    if (value === undefined || typeof value === 'function') continue
    throw new TypeError(`options.${name}: expected a function; got ${show(value)}`)
  }
  const ws = Object.entries(others).filter(([name]) => !ownNames.has(name))
  return {
    maxPayloadBytes: maxPayload === 0 ? Infinity : maxPayload,
    perMessageDeflate,
    closeTimeoutMs: closeTimeout,
    subprotocols: handleProtocols && asSubprotocols(handleProtocols),
    ws: ws.length > 0 ? Object.fromEntries(ws) : undefined
  }
}

/** `ws` asks where the client offers some, and takes false for none. */
const asSubprotocols =
  (handleProtocols: HandleProtocols) =>
  (offered: readonly string[], req: IncomingMessage): string | undefined =>
    (offered.length > 0 && handleProtocols(new Set(offered), req)) || undefined

function combine(own: AttachOptions, translated: AttachOptions): AttachOptions {
  const given = Object.entries(translated).filter(([, value]) => value !== undefined)
  for (const [name] of given) {
    if (own[name as keyof AttachOptions] === undefined) continue
    throw new TypeError(`${name}: options says this too, in words of ws; leave one of them out`)
  }
  return { ...own, ...Object.fromEntries(given) }
}

/** What `@fastify/websocket` does where nothing is set, and what each of it costs. */
const formerDefaults: { [Name in keyof AttachOptions]: [value: AttachOptions[Name], cost: string] } = {
  allowedOrigins: ['any', 'every web page may connect with the cookies of its visitors'],
  subprotocols: [([first]) => first, 'the first subprotocol of the client is answered, be it a token'],
  maxPayloadBytes: [104_857_600, 'messages may have 100 MiB'],
  maxBufferedBytes: [Infinity, 'a client that does not read may fill the memory'],
  closeTimeoutMs: [30_000, 'a closing handshake may take 30 s'],
  heartbeat: [false, 'clients that are gone are not noticed'],
  handshakeTimeoutMs: [Infinity, 'a handshake may wait for ever'],
  maxPendingHandshakes: [Infinity, 'any number of handshakes may wait'],
  maxConnections: [Infinity, 'any number of connections may be open']
}

/** What no option of its own changes. */
const always = ['every GET route answers handshakes with 101', 'onSend hooks do not see the 101']

/** The options with what `@fastify/websocket` would do where they set nothing; the log gets the price, once. */
function withFormerDefaults(app: FastifyInstance, options: AttachOptions): AttachOptions {
  const unset = Object.entries(formerDefaults).filter(([name]) => options[name as keyof AttachOptions] === undefined)
  const costs = unset.map(([name, [, cost]]) => `${cost} (${name})`)
  warn(
    app,
    `compatibility: '@fastify/websocket' brings its behaviour back: ${[...always, ...costs].join('; ')}. ` +
      'Each that has a name is left by setting that option.'
  )
  return { ...options, ...Object.fromEntries(unset.map(([name, [value]]) => [name, value])) }
}
