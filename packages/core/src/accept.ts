import type { IncomingMessage, ServerResponse } from 'node:http'
import type { WebSocket } from 'ws'
import { type Agreed, type Handshake, type HandshakeRequest, type HandshakeResponse, handshakeOf } from './handshake.ts'
import type { EndpointOptions } from './options/endpoint.ts'
import { answerFailure } from './refuse.ts'
import { logFault } from './reports/log.ts'
import { type Credential, resolveCredential, splitCredential } from './rules/credential.ts'
import { check, type FrameworkBinding, noFramework, reportRefusal } from './rules/rules.ts'
import { show } from './show.ts'

/**
 * Serves one connection. It gets the socket and the request as the framework has it; what it throws or rejects with
 * is reported to `onError`, and the connection is closed with 1011.
 */
export type WebSocketHandler<Request = IncomingMessage> = (socket: WebSocket, req: Request) => unknown

/** Options of one acceptance: those of the endpoint, and whose the connection is. */
export interface AcceptOptions extends EndpointOptions, Credential {}

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
  options: AcceptOptions | undefined,
  handler: WebSocketHandler<Request>,
  framework: FrameworkBinding = noFramework
): Promise<boolean> {
  return accept(req, res, options, handler, framework)
}

/** Accepts at once, and throws at once: a promise is made only where the framework sends its responses later. */
function accept<Request extends IncomingMessage>(
  req: Request,
  res: ServerResponse,
  options: AcceptOptions | undefined,
  handler: WebSocketHandler<Request>,
  framework: FrameworkBinding
): boolean | Promise<boolean> {
  if (typeof handler !== 'function') {
    throw new TypeError(`acceptWebSocket: expected a handler (socket, req) => …; got ${show(handler)}`)
  }
  const { handshake, agreed } = agree(req, options, handler, framework)
  try {
    handshake.accept(agreed)
  } catch (error) {
    handshake.connections.limits.giveBack(agreed.place)
    throw error
  }
  // From here on the handshake gives the place back of what does not become a connection.
  if (framework.send !== undefined) framework.send()
  else res.writeHead(101).end()
  if (handshake.state !== 'pending') return handshake.state === 'accepted'
  return new Promise((resolve) => {
    agreed.settled = resolve
  })
}

/** Runs the rules and takes a place. */
function agree<Request extends IncomingMessage>(
  req: Request,
  options: AcceptOptions | undefined,
  handler: WebSocketHandler<Request>,
  framework: FrameworkBinding
): { readonly handshake: Handshake; readonly agreed: Agreed } {
  try {
    const [endpointOptions, given] = options === undefined ? noOptions : splitCredential(options)
    const { handshake, endpoint, effective, subprotocol } = check(req, endpointOptions, framework)
    const credential = given === undefined ? undefined : resolveCredential(given)
    const { requestId } = framework
    // Last, so that nothing refuses or throws while the place is taken.
    const place = handshake.connections.limits.take(effective)
    return {
      handshake,
      agreed: { req, endpoint, subprotocol, place, credential, requestId, handler, settled: undefined }
    }
  } catch (error) {
    reportRefusal(error, req, framework)
    throw error
  }
}

const noOptions: ReturnType<typeof splitCredential> = [undefined, undefined]

/**
 * Accepts an opening handshake on a server without a framework, or answers the refusal in plain text.
 *
 * An ordinary request at this URL gets 426 with a sentence that says what the URL is for.
 *
 * Wrong options, and a function in them that throws, are faults: they go to `onError`, and the client gets 500.
 *
 * @returns a promise that resolves when the answer has been written, whichever it is. It never rejects, so a listener
 *   that forgets to wait for it cannot be used to end the process.
 */
export function acceptWebSocket<Request extends HandshakeRequest>(
  req: Request,
  res: HandshakeResponse,
  handler: WebSocketHandler<Request>
): Promise<void>
export function acceptWebSocket<Request extends HandshakeRequest>(
  req: Request,
  res: HandshakeResponse,
  options: AcceptOptions,
  handler: WebSocketHandler<Request>
): Promise<void>
export async function acceptWebSocket(
  request: HandshakeRequest,
  response: HandshakeResponse,
  ...rest: [WebSocketHandler<never>] | [AcceptOptions, WebSocketHandler<never>]
): Promise<void> {
  const options = rest.length === 1 ? undefined : rest[0]
  const handler = rest.length === 1 ? rest[0] : rest[1]
  const req = request as IncomingMessage
  const res = response as ServerResponse
  try {
    const accepted = accept(req, res, options, handler as WebSocketHandler, noFramework)
    if (typeof accepted !== 'boolean') await accepted
  } catch (error) {
    answerFailure(error, res, handshakeOf(req)?.options.onError ?? logFault)
  }
}
