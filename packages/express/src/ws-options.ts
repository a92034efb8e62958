import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { STATUS_CODES } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { EndpointOptions } from '@oneport/core'
import { answerFault } from '@oneport/core/adapter'

/** What `verifyClient` is asked about. */
export interface ClientInfo {
  /** The field `Origin`; undefined where there is none, whatever the type of `ws` says. */
  origin: string
  /** Whether the connection is a TLS connection. */
  secure: boolean
  req: IncomingMessage
}

/** Refuses, or lets in: `callback(false, 403, 'Not you.')`. Without a status the answer is 401. */
export type VerifyCallback = (verified: boolean, code?: number, message?: string, headers?: OutgoingHttpHeaders) => void

/** Options of the `WebSocketServer` of `ws`, as far as an endpoint can have them. Further ones are passed on to `ws`. */
export interface WsOptions extends NonNullable<EndpointOptions['ws']> {
  /** In bytes; 0 for any size. `maxPayloadBytes` is the same. */
  maxPayload?: number | undefined
  perMessageDeflate?: EndpointOptions['perMessageDeflate']
  /** In milliseconds. `closeTimeoutMs` is the same. */
  closeTimeout?: number | undefined
  /** Picks a subprotocol from what the client offers, as a list, as with the `ws` that express-ws has. */
  handleProtocols?: ((offered: string[], req: IncomingMessage) => string | false | undefined) | null | undefined
  /** Is asked before the application. With two parameters it answers by its second one. */
  verifyClient?: ((info: ClientInfo, callback: VerifyCallback) => unknown) | null | undefined
  clientTracking?: true | undefined
}

/** Options of `ws` that have no meaning here, and what to use instead. */
const insteadOf = new Map(
  Object.entries({
    WebSocket: 'listeners on the socket; its class is fixed',
    backlog: 'app.listen(port, host, backlog)',
    clientTracking: 'nothing; the sockets are counted in any case',
    host: 'app.listen(port, host)',
    noServer: 'the second argument, expressWs(app, server)',
    path: 'the path of a route, app.ws(path, …)',
    port: 'app.listen(port)',
    server: 'the second argument, expressWs(app, server)'
  })
)

/**
 * The options of an endpoint that stand for options of `ws`.
 * @throws TypeError for an option that has no meaning here; the message says what to use instead
 */
export function endpointOptionsOf(wsOptions: WsOptions): EndpointOptions {
  for (const [name, value] of Object.entries(wsOptions)) {
    const instead = insteadOf.get(name)
    if (instead === undefined || (name === 'clientTracking' ? value !== false : !value)) continue
    throw new TypeError(`expressWs: wsOptions.${name} cannot be set here; use ${instead}`)
  }
  const { maxPayload, perMessageDeflate, closeTimeout, handleProtocols, verifyClient: _asked, ...rest } = wsOptions
  const ws = Object.fromEntries(Object.entries(rest).filter(([name]) => !insteadOf.has(name)))
  return {
    maxPayloadBytes: maxPayload === 0 ? Infinity : maxPayload,
    perMessageDeflate,
    closeTimeoutMs: closeTimeout,
    // The first one is what `ws` takes by default.
    subprotocols: (offered, req) => (handleProtocols ? handleProtocols([...offered], req) : offered[0]) || undefined,
    ws
  }
}

/**
 * Asks `verifyClient`; calls `next` where it lets the client in, and answers in its place where it does not. What it
 * throws, rejects with, or answers that cannot be sent, refuses with 500. A promise is waited for: with `ws` it would let
 * everybody in.
 */
export function verify(
  verifyClient: WsOptions['verifyClient'],
  req: IncomingMessage,
  res: ServerResponse,
  next: () => void
): void {
  if (!verifyClient) {
    next()
    return
  }
  let isOpen = true
  const settle = (answer: () => void): void => {
    if (!isOpen) return
    isOpen = false
    try {
      answer()
    } catch (error) {
      answerFault(req, res, error)
    }
  }
  const fail = (error: unknown): void => settle(() => answerFault(req, res, error))
  const decide: VerifyCallback = (verified, code = 401, message, headers = {}) =>
    settle(() => {
      if (verified) next()
      else res.writeHead(code, { 'Content-Type': 'text/plain', ...headers }).end(message ?? STATUS_CODES[code])
    })
  const { authorized, encrypted } = req.socket as Partial<TLSSocket>
  const info: ClientInfo = { origin: req.headers.origin as string, secure: Boolean(authorized || encrypted), req }
  const callsBack = verifyClient.length === 2
  try {
    const answer = verifyClient(info, decide)
    if (isThenable(answer)) answer.then((verified) => callsBack || decide(Boolean(verified)), fail)
    else if (!callsBack) decide(Boolean(answer))
  } catch (error) {
    fail(error)
  }
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function'
