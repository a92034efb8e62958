import type { IncomingMessage, ServerResponse } from 'node:http'
import { answerFault } from './answer-fault.ts'
import { type Agreed, type Handshake, type HandshakeRequest, type HandshakeResponse, otherCopyOf } from './handshake.ts'
import { type HandlerArguments, splitArguments } from './options/arguments.ts'
import { inCall } from './options/checks.ts'
import type { EndpointOptions } from './options/endpoint.ts'
import { type Credential, resolveCredential, splitCredential } from './rules/credential.ts'
import { checkRules, type FrameworkBinding, noFramework, reportRefusal } from './rules/rules.ts'
import { show } from './show.ts'
import type { WebSocket } from './websocket.ts'

/**
 * Serves one connection. It gets the socket and the request as the framework has it; what it throws or rejects with
 * is reported to `onError`, and the connection is closed with 1011.
 */
export type WebSocketHandler<Request = IncomingMessage> = (socket: WebSocket, req: Request) => unknown

/** Options of one acceptance: those of the endpoint, and whose the connection is. */
export interface AcceptOptions extends EndpointOptions, Credential {}

/** A handshake that every rule lets in, and that waits for its response. */
export interface Agreement {
  /** The subprotocol that the 101 will name; undefined for none. */
  readonly subprotocol: string | undefined
  /**
   * Resolves when the response has begun: true where the 101 went out and the handler has the socket, false where it had
   * another status, or the client has left. It does not reject.
   */
  settled(): Promise<boolean>
}

class OwnAgreement implements Agreement {
  readonly #handshake: Handshake
  readonly #agreed: Agreed
  #settled: Promise<boolean> | undefined

  constructor(handshake: Handshake, agreed: Agreed) {
    this.#handshake = handshake
    this.#agreed = agreed
  }

  get subprotocol(): string | undefined {
    return this.#agreed.subprotocol
  }

  settled(): Promise<boolean> {
    this.#settled ??= new Promise((resolve) => {
      if (this.#handshake.state !== 'pending') resolve(this.#handshake.state === 'accepted')
      else this.#agreed.settled = resolve
    })
    return this.#settled
  }
}

/**
 * Agrees to an opening handshake, for adapters: it runs the rules, takes a place, and writes nothing. The next 101 of the
 * handshake's response opens the socket, whoever sends it, and however: `res.writeHead(101)`, a `statusCode` of 101 and
 * `res.end()`, or the framework after the route has returned. Every header field that the response has by then is on the
 * 101, and `handler` is called with the open socket in the same tick. A response that sends another status gives the place
 * back, as does a client that leaves. RFC 6455 §4.2.
 *
 * @param req the request as the framework has it; the handler gets the same object
 * @throws HandshakeError where a rule refuses: answer with its status and header fields
 * @throws TypeError for wrong options
 * @throws Error where it was called for this request before, or its response has begun
 */
export function agree<Request extends HandshakeRequest>(
  req: Request,
  options: AcceptOptions | undefined,
  handler: WebSocketHandler<Request>,
  framework: FrameworkBinding = noFramework
): Agreement {
  const other = otherCopyOf(req)
  if (other !== undefined) return other.agree(req, options, handler, framework)
  if (typeof handler !== 'function') {
    throw new TypeError(`acceptWebSocket: expected a handler (socket, req) => …; got ${show(handler)}`)
  }
  try {
    const [endpointOptions, given] = options === undefined ? noOptions : splitCredential(options)
    const { handshake, endpoint, effective, subprotocol } = checkRules(
      req as IncomingMessage,
      endpointOptions,
      framework
    )
    const credential = given === undefined ? undefined : resolveCredential(given)
    const { requestId } = framework
    const agreed: Agreed = {
      req: req as IncomingMessage,
      endpoint,
      subprotocol,
      place: undefined,
      credential,
      requestId,
      handler,
      settled: undefined
    }
    // Last, so that nothing refuses or throws while a place is taken.
    handshake.accept(agreed, effective)
    return new OwnAgreement(handshake, agreed)
  } catch (error) {
    reportRefusal(error, req as IncomingMessage, framework)
    throw inCall(error, 'acceptWebSocket', agree)
  }
}

const noOptions: ReturnType<typeof splitCredential> = [undefined, undefined]

/**
 * Accepts an opening handshake, or refuses it by rejecting: for applications without a framework that answer refusals
 * themselves. {@link acceptWebSocket} answers them.
 *
 * Accepted, the response's own 101 goes out with every field that middleware set, and `handler` is called with the
 * open socket in the same tick. RFC 6455 §4.2.
 *
 * @returns true when the 101 was written; false when the response had another status instead, as when a function around
 *   `writeHead` refused
 * @throws HandshakeError before anything is written, when a rule refuses
 * @throws TypeError for wrong options
 */
export async function acceptHandshake<Request extends HandshakeRequest>(
  req: Request,
  res: HandshakeResponse,
  options: AcceptOptions | undefined,
  handler: WebSocketHandler<Request>
): Promise<boolean> {
  checkExchange(req, res)
  const agreement = agree(req, options, handler)
  ;(res as ServerResponse).writeHead(101).end()
  return agreement.settled()
}

/** @throws TypeError for anything but a request and its response, such as the two in the wrong order */
export function checkExchange(req: unknown, res: unknown): void {
  const isRequest = typeof (req as Partial<IncomingMessage> | null | undefined)?.headers === 'object'
  const isResponse = typeof (res as Partial<ServerResponse> | null | undefined)?.writeHead === 'function'
  if (isRequest && isResponse) return
  const got = `${show(req)} and ${show(res)}`
  throw new TypeError(`acceptWebSocket: expected a request, its response, and options or a handler; got ${got}`)
}

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
  req: HandshakeRequest,
  res: HandshakeResponse,
  ...given: HandlerArguments<AcceptOptions, WebSocketHandler<never>>
): Promise<void> {
  checkExchange(req, res)
  const [options, handler] = splitArguments(given)
  try {
    const agreement = agree(req, options, handler as WebSocketHandler<HandshakeRequest>)
    ;(res as ServerResponse).writeHead(101).end()
    await agreement.settled()
  } catch (error) {
    answerFault(req as IncomingMessage, res as ServerResponse, error)
  }
}
