import type { IncomingMessage, ServerResponse } from 'node:http'
import type { WebSocket } from 'ws'
import { HandshakeError, quote, show } from './errors.ts'
import { contain } from './fault.ts'
import { frameworkWriteHead, type Handshake, handshakeOf } from './handshake.ts'
import { listMembers, removeOwnedFields } from './http-fields.ts'
import { logRefusal } from './log.ts'
import { type Endpoint, type EndpointOptions, resolveEndpoint } from './options.ts'
import type { EffectiveRequest } from './origin.ts'
import { refuse } from './reject.ts'
import { chooseSubprotocol, parseSubprotocols } from './subprotocol.ts'
import { isOpeningHandshake, validateHandshake, validateRequest } from './validate.ts'
import { openWebSocket } from './ws-bridge.ts'

/**
 * Serves one connection. It gets the socket and the request as the framework has it; what it throws or rejects with
 * is reported to `onError`, and the connection is closed with 1011.
 */
export type WebSocketHandler<Request = IncomingMessage> = (socket: WebSocket, req: Request) => unknown

/** How a framework takes part in a handshake; for adapters. */
export interface FrameworkBinding {
  /** Sends the response with status 101 through the framework, so that its hooks see it. */
  send?(): void
  /** Scheme and host after the framework's own trust in proxies. */
  effectiveRequest?(): EffectiveRequest
  /** Logs a refusal through the framework, with its request id. */
  onRefused?(error: HandshakeError): void
}

/** What the handshake agreed on. */
export interface CheckedHandshake {
  /** The subprotocol that the 101 will name; undefined for none. */
  readonly subprotocol: string | undefined
}

/**
 * Accepts an opening handshake, or refuses it by rejecting. For adapters, and for applications that answer refusals
 * themselves; on a server without a framework {@link acceptWebSocket} answers them.
 *
 * Accepted, the response's own 101 goes out with every field that middleware set, and `handler` is called with the
 * open socket in the same tick. RFC 6455 §4.2.
 *
 * @returns true when the 101 was written; false when the framework answered with another status instead, as when a
 *   hook of its own refused
 * @throws HandshakeError before anything is written, when a rule refuses
 * @throws TypeError for wrong options
 */
export async function acceptHandshake<Request extends IncomingMessage>(
  req: Request,
  res: ServerResponse,
  options: EndpointOptions | undefined,
  handler: WebSocketHandler<Request>,
  framework: FrameworkBinding = {}
): Promise<boolean> {
  if (typeof handler !== 'function') {
    throw new TypeError(`acceptWebSocket: expected a handler (socket, req) => …; got ${show(handler)}`)
  }
  const { handshake, endpoint, subprotocol } = checkWith(req, options, framework)
  return new Promise((resolve) => {
    handshake.accept({
      open: () => {
        open(handshake, endpoint, subprotocol, req, handler)
        resolve(true)
      },
      abandon: () => resolve(false)
    })
    if (framework.send !== undefined) framework.send()
    else res.writeHead(101).end()
  })
}

/**
 * Accepts an opening handshake on a server without a framework, or answers the refusal in plain text.
 *
 * An ordinary request at this URL gets 426 with a sentence that says what the URL is for.
 *
 * @returns a promise that resolves when the answer has been written, whichever it is. It does not reject for anything
 *   that a client can do, so a listener that forgets to wait for it cannot be used to end the process.
 * @throws TypeError for wrong options
 */
export function acceptWebSocket<Request extends IncomingMessage>(
  req: Request,
  res: ServerResponse,
  handler: WebSocketHandler<Request>
): Promise<void>
export function acceptWebSocket<Request extends IncomingMessage>(
  req: Request,
  res: ServerResponse,
  options: EndpointOptions,
  handler: WebSocketHandler<Request>
): Promise<void>
export async function acceptWebSocket<Request extends IncomingMessage>(
  req: Request,
  res: ServerResponse,
  ...rest: [WebSocketHandler<Request>] | [EndpointOptions, WebSocketHandler<Request>]
): Promise<void> {
  const [options, handler] = rest.length === 1 ? [undefined, rest[0]] : rest
  try {
    await acceptHandshake(req, res, options, handler)
  } catch (error) {
    if (!(error instanceof HandshakeError)) throw error
    refuse(res, error)
  }
}

/**
 * Checks an opening handshake without accepting it: for early middleware that wants malformed or foreign handshakes
 * gone before it asks a database. It writes nothing; `acceptWebSocket` runs the same rules again.
 *
 * @param options those of the endpoint; what they leave out is as given at attach
 * @throws HandshakeError with the status and the header fields of the refusal
 */
export function checkHandshake(
  req: IncomingMessage,
  options?: EndpointOptions,
  framework: FrameworkBinding = {}
): CheckedHandshake {
  const { subprotocol } = checkWith(req, options, framework)
  return { subprotocol }
}

interface Checked extends CheckedHandshake {
  readonly handshake: Handshake
  readonly endpoint: Endpoint
}

function checkWith(req: IncomingMessage, options: EndpointOptions | undefined, framework: FrameworkBinding): Checked {
  const handshake = handshakeOf(req)
  try {
    return check(req, handshake, options, framework)
  } catch (error) {
    if (error instanceof HandshakeError) {
      const onRefused = framework.onRefused ?? handshake?.options.onRefused ?? logRefusal
      onRefused(error, req)
    }
    throw error
  }
}

/** The rules, in the order of RFC 6455 §4.2. */
function check(
  req: IncomingMessage,
  handshake: Handshake | undefined,
  options: EndpointOptions | undefined,
  framework: FrameworkBinding
): Checked {
  validateRequest(req)
  if (handshake === undefined) throw notAttached()
  validateHandshake(req)
  const endpoint = endpointFor(handshake, options)
  checkOrigin(req, endpoint, framework.effectiveRequest?.() ?? handshake.options.effectiveRequest(req))
  const subprotocol = agreeSubprotocol(req, endpoint)
  if (handshake.connections.draining) {
    throw new HandshakeError('HANDSHAKE_UNAVAILABLE', 'The server is shutting down; connect again in a few seconds.')
  }
  if (handshake.rawSocket.destroyed) throw aborted()
  return { handshake, endpoint, subprotocol }
}

const notAttached = (): HandshakeError =>
  new HandshakeError(
    'HANDSHAKE_NOT_ATTACHED',
    'This server does not take WebSocket connections yet.',
    'The handshake arrived as an ordinary request, because nothing of Oneport listens for "upgrade" on this server. ' +
      'Call attach(server, …) of @oneport/core or wsUpgrade().attach(server) of @oneport/express with the server that listens.'
  )

const aborted = (): HandshakeError =>
  new HandshakeError('HANDSHAKE_ABORTED', 'The client went away before its handshake was answered.')

function endpointFor(handshake: Handshake, options: EndpointOptions | undefined): Endpoint {
  const { endpoint, endpoints } = handshake.options
  if (options === undefined) return endpoint
  let resolved = endpoints.get(options)
  if (resolved === undefined) {
    resolved = resolveEndpoint(options, endpoint)
    endpoints.set(options, resolved)
  }
  return resolved
}

function checkOrigin(req: IncomingMessage, endpoint: Endpoint, effective: EffectiveRequest): void {
  const { origin } = req.headers
  if (origin === undefined ? !endpoint.requireOrigin : endpoint.origins.allows(origin, effective)) return
  const { host = '(none)', scheme } = effective
  throw new HandshakeError(
    'HANDSHAKE_ORIGIN',
    origin === undefined ? 'A field "Origin" is required here.' : `Origin ${quote(origin)} is not allowed here.`,
    `origin ${quote(origin)}, effective host ${quote(host)}, scheme ${scheme ?? 'unknown'}, allowed: ${endpoint.origins.rule}`
  )
}

function agreeSubprotocol(req: IncomingMessage, endpoint: Endpoint): string | undefined {
  const { subprotocols, requireSubprotocol } = endpoint
  const value = req.headers['sec-websocket-protocol']
  const offered = value === undefined ? [] : parseSubprotocols(value)
  if (offered === undefined) {
    // The value is not quoted: browsers have no other field for a bearer token than this one.
    throw new HandshakeError(
      'HANDSHAKE_SUBPROTOCOL',
      'Sec-WebSocket-Protocol is not a list of different tokens (RFC 6455 §4.1).'
    )
  }
  const chosen =
    typeof subprotocols === 'function' ? subprotocols(offered, req) : chooseSubprotocol(subprotocols, offered)
  if (chosen !== undefined && !offered.includes(chosen)) {
    throw new TypeError('subprotocols: the function must return one of the offered names, or undefined')
  }
  if (chosen === undefined && requireSubprotocol) {
    const wanted = typeof subprotocols === 'function' ? '' : `: ${subprotocols.join(', ')}`
    throw new HandshakeError('HANDSHAKE_SUBPROTOCOL', `One of this endpoint's subprotocols must be offered${wanted}.`)
  }
  return chosen
}

/** Without the empty members that a list may have (RFC 9110 §5.6.1) and `ws` does not take. */
function offeredExtensions(req: IncomingMessage): string | undefined {
  const value = req.headers['sec-websocket-extensions']
  return value === undefined ? undefined : listMembers(value).join(', ')
}

/** The hand-off: the response writes the 101, `ws` takes the raw socket, the handler gets the socket. */
function open<Request extends IncomingMessage>(
  handshake: Handshake,
  endpoint: Endpoint,
  subprotocol: string | undefined,
  req: Request,
  handler: WebSocketHandler<Request>
): void {
  const { rawSocket, response, head, options, connections } = handshake
  const opened = openWebSocket(
    rawSocket,
    head,
    {
      key: req.headers['sec-websocket-key'] as string,
      subprotocol,
      extensions: offeredExtensions(req),
      writeHead: (fields) => {
        removeOwnedFields(response)
        for (const [name, value] of fields) response.setHeader(name, value)
        handshake.state = 'accepted'
        frameworkWriteHead(response, 101, 'Switching Protocols')
        response.flushHeaders()
        response.detachSocket(rawSocket as never)
      },
      onOpen: (socket) => {
        socket.reportFaultsTo(options.onError)
        connections.add(socket)
        contain(
          () => handler(socket, req),
          (error) => socket.fail(error, 'handler')
        )
      }
    },
    endpoint.connection
  )
  if (!opened) throw aborted()
}

/** Whether a request asks for a WebSocket: for routes that answer HTTP as well. */
export const isWebSocketRequest = (req: IncomingMessage): boolean =>
  handshakeOf(req) !== undefined || isOpeningHandshake(req)
