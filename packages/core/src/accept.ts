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
 * Handles one connection. Called with the open socket and the framework's request, in the same tick as the 101 is
 * written. If it throws or rejects, the error goes to `onError` and the connection is closed with 1011 (RFC 6455
 * §7.4.1).
 */
export type WebSocketHandler<Request = IncomingMessage> = (socket: WebSocket, req: Request) => unknown

/** Options of one call: those of the endpoint, and the credential of the connection. */
export interface AcceptOptions extends EndpointOptions, Credential {}

/** A handshake that has passed every rule. Its response is not sent yet. */
export interface Agreement {
  /** The subprotocol that the 101 will name; undefined for none. */
  readonly subprotocol: string | undefined
  /** Whether the response has started. Undefined if another copy of core has made the agreement. */
  readonly isSettled?: boolean
  /**
   * Resolves when the response has started: to true if it was the 101, so that the handler has the socket; to false if
   * it had another status, or the client has left. Never rejects.
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

  get isSettled(): boolean {
    return this.#handshake.state !== 'pending'
  }

  settled(): Promise<boolean> {
    this.#settled ??= new Promise((resolve) => {
      if (this.isSettled) resolve(this.#handshake.state === 'accepted')
      else this.#agreed.settled = resolve
    })
    return this.#settled
  }
}

/** What `whenSettled` returns for nearly every handshake. */
const settled = Promise.resolve()

/** Resolves when the response to an agreement has started, whatever its status. For adapters. Never rejects. */
export const whenSettled = (agreement: Agreement): Promise<void> =>
  agreement.isSettled === true ? settled : agreement.settled().then(() => {})

/**
 * Agrees to an opening handshake, for adapters: checks the rules and reserves a place, but writes nothing. The next 101
 * of the response opens the socket, whoever sends it: `res.writeHead(101)`, `res.statusCode = 101` and `res.end()`, or
 * the framework after the route has returned. The 101 has all header fields that are set on the response at that time,
 * and `handler` is called with the open socket in the same tick. If the response has another status, or the client
 * leaves, the place is free again. RFC 6455 §4.2.
 *
 * @param req the framework's request; it is passed to the handler
 * @throws HandshakeError if a rule refuses: answer with its status and header fields
 * @throws TypeError if an option is wrong
 * @throws Error if this was already called for the request, or the response has started
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
    // Last, so that nothing can refuse or throw after the place is taken.
    handshake.accept(agreed, effective)
    return new OwnAgreement(handshake, agreed)
  } catch (error) {
    reportRefusal(error, req as IncomingMessage, framework)
    throw inCall(error, 'acceptWebSocket', agree)
  }
}

const noOptions: ReturnType<typeof splitCredential> = [undefined, undefined]

/**
 * Accepts an opening handshake, or rejects if a rule refuses it. For applications without a framework that answer
 * refusals themselves; {@link acceptWebSocket} does that for you.
 *
 * If it is accepted, the client gets a 101 with all header fields that are set on the response, and `handler` is called
 * with the open socket in the same tick. RFC 6455 §4.2.
 *
 * @returns a promise of true if the 101 was written, or of false if the response got another status, for example from a
 *   wrapper around `writeHead`
 * @throws HandshakeError if a rule refuses; nothing is written
 * @throws TypeError if an option is wrong
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

/**
 * Checks the first two arguments of `acceptWebSocket`, for adapters.
 * @throws TypeError if they are not a request and its response, for example in the wrong order
 */
export function checkExchange(req: unknown, res: unknown): void {
  const isRequest = typeof (req as Partial<IncomingMessage> | null | undefined)?.headers === 'object'
  const isResponse = typeof (res as Partial<ServerResponse> | null | undefined)?.writeHead === 'function'
  if (isRequest && isResponse) return
  const got = `${show(req)} and ${show(res)}`
  const hint = typeof req === 'function' ? '; call it in a route: (req, res) => acceptWebSocket(req, res, handler)' : ''
  throw new TypeError(`acceptWebSocket: expected a request, its response, and options or a handler; got ${got}${hint}`)
}

/**
 * Accepts an opening handshake on a server without a framework, or answers the refusal in plain text.
 *
 * An ordinary request to this URL gets 426 and a sentence about what the URL is for.
 *
 * If an option is wrong, or a function among the options throws, the error goes to `onError` and the client gets 500.
 *
 * @returns a promise that resolves when the answer is written, whatever its status. It never rejects, so no client can
 *   end the process through a listener that forgets to await it.
 */
export function acceptWebSocket<Request extends HandshakeRequest>(
  req: Request,
  res: HandshakeResponse,
  handler: WebSocketHandler<Request>
): Promise<void>
/**
 * Accepts an opening handshake on a server without a framework, with options for this endpoint or connection. Otherwise as
 * without them.
 *
 * @param options of this endpoint, in place of those given to `attach`, and whose connection it is
 * @returns a promise that resolves when the answer is written, whatever its status. It never rejects.
 */
export function acceptWebSocket<Request extends HandshakeRequest>(
  req: Request,
  res: HandshakeResponse,
  options: AcceptOptions,
  handler: WebSocketHandler<Request>
): Promise<void>
export function acceptWebSocket(
  req: HandshakeRequest,
  res: HandshakeResponse,
  ...given: HandlerArguments<AcceptOptions, WebSocketHandler<never>>
): Promise<void> {
  // Not as a rejection, which nobody may handle.
  checkExchange(req, res)
  return acceptOrAnswer(req, res, ...splitArguments(given))
}

function acceptOrAnswer(
  req: HandshakeRequest,
  res: HandshakeResponse,
  options: AcceptOptions | undefined,
  handler: WebSocketHandler<never>
): Promise<void> {
  try {
    const agreement = agree(req, options, handler as WebSocketHandler<HandshakeRequest>)
    ;(res as ServerResponse).writeHead(101).end()
    return whenSettled(agreement)
  } catch (error) {
    answerFault(req as IncomingMessage, res as ServerResponse, error)
    return settled
  }
}
