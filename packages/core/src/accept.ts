import type { IncomingMessage, ServerResponse } from 'node:http'
import type { WebSocket } from 'ws'
import { show } from './errors.ts'
import {
  type Acceptance,
  type Handshake,
  type HandshakeRequest,
  type HandshakeResponse,
  handshakeOf
} from './handshake.ts'
import { type HandshakeFields, listMembers } from './http-fields.ts'
import { type AgreedHandshake, type ContainedWebSocket, openWebSocket } from './life/contained-socket.ts'
import type { EndpointOptions } from './options/endpoint.ts'
import { answerFailure } from './refuse.ts'
import { isThenable } from './reports/fault.ts'
import { logFault } from './reports/log.ts'
import { type Credential, type ResolvedCredential, resolveCredential, splitCredential } from './rules/credential.ts'
import { type Checked, check, type FrameworkBinding, noFramework, reportRefusal } from './rules/rules.ts'

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
  return enter(req, res, options, handler, framework)
}

/** Accepts at once, and throws at once: a promise is made only where the framework sends its responses later. */
function enter<Request extends IncomingMessage>(
  req: Request,
  res: ServerResponse,
  options: AcceptOptions | undefined,
  handler: WebSocketHandler<Request>,
  framework: FrameworkBinding
): boolean | Promise<boolean> {
  if (typeof handler !== 'function') {
    throw new TypeError(`acceptWebSocket: expected a handler (socket, req) => …; got ${show(handler)}`)
  }
  const entry = checkEntry(req, options, handler, framework)
  try {
    entry.handshake.accept(entry)
  } catch (error) {
    entry.givePlaceBack()
    throw error
  }
  // From here on the handshake abandons what does not become a connection.
  if (framework.send !== undefined) framework.send()
  else res.writeHead(101).end()
  return entry.outcome()
}

function checkEntry<Request extends IncomingMessage>(
  req: Request,
  options: AcceptOptions | undefined,
  handler: WebSocketHandler<Request>,
  framework: FrameworkBinding
): Entry<Request> {
  try {
    const [endpointOptions, credential] = options === undefined ? noOptions : splitCredential(options)
    const checked = check(req, endpointOptions, framework)
    const resolved = credential === undefined ? undefined : resolveCredential(credential)
    const { requestId } = framework
    // Last, so that nothing refuses or throws while the place is taken.
    const place = checked.handshake.connections.limits.take(checked.effective)
    return new Entry(req, checked, place, resolved, handler, requestId)
  } catch (error) {
    reportRefusal(error, req, framework)
    throw error
  }
}

const noOptions: ReturnType<typeof splitCredential> = [undefined, undefined]

/** A handshake that every rule lets in, on its way to `ws` and to the handler. */
class Entry<Request extends IncomingMessage> implements Acceptance, AgreedHandshake {
  readonly #req: Request
  readonly #checked: Checked
  /** What the limits gave out for it. */
  readonly #place: string | undefined
  #hasPlace = true
  readonly #credential: ResolvedCredential | undefined
  readonly #handler: WebSocketHandler<Request>
  readonly #requestId: string | undefined
  /** Whether the 101 was written; undefined as long as that is open. */
  #accepted: boolean | undefined
  #settled: ((accepted: boolean) => void) | undefined

  constructor(
    req: Request,
    checked: Checked,
    place: string | undefined,
    credential: ResolvedCredential | undefined,
    handler: WebSocketHandler<Request>,
    requestId: string | undefined
  ) {
    this.#req = req
    this.#checked = checked
    this.#place = place
    this.#credential = credential
    this.#handler = handler
    this.#requestId = requestId
  }

  get handshake(): Handshake {
    return this.#checked.handshake
  }

  get request(): Request {
    return this.#req
  }

  get key(): string {
    return this.#req.headers['sec-websocket-key'] ?? unusedKey
  }

  get subprotocol(): string | undefined {
    return this.#checked.subprotocol
  }

  /** Without the empty members that a list may have (RFC 9110 §5.6.1) and `ws` does not take. */
  get extensions(): string | undefined {
    const value = this.#req.headers['sec-websocket-extensions']
    return value?.includes(',') ? listMembers(value).join(', ') : value
  }

  /** Whether the 101 was written. */
  outcome(): boolean | Promise<boolean> {
    return (
      this.#accepted ??
      new Promise((resolve) => {
        this.#settled = resolve
      })
    )
  }

  /** The hand-off: the response writes the 101, `ws` takes the raw socket, the handler gets the socket. */
  open(): boolean {
    const { handshake, endpoint } = this.#checked
    const opened = openWebSocket(handshake.rawSocket, handshake.head, this, endpoint.connection)
    if (opened) this.#settle(true)
    return opened
  }

  abandon(): void {
    this.givePlaceBack()
    this.#settle(false)
  }

  givePlaceBack(): void {
    if (!this.#hasPlace) return
    this.#hasPlace = false
    this.handshake.connections.limits.giveBack(this.#place)
  }

  writeHead(fields: HandshakeFields): void {
    this.handshake.transport.switchProtocols(this.handshake, fields)
  }

  onOpen(socket: ContainedWebSocket): void {
    const { handshake, endpoint } = this.#checked
    const { connections, rawSocket, path, since } = handshake
    socket.begin(rawSocket, endpoint.connection, connections, this.#requestId, path)
    connections.stats.accepted(socket, this.#req, since)
    this.#hasPlace = false
    connections.add(socket, this.#place, this.#credential)
    try {
      const result = this.#handler(socket, this.#req)
      if (isThenable(result)) waitFor(result, socket)
      else socket.releaseMessages()
    } catch (error) {
      socket.fail(error, 'handler')
    }
  }

  #settle(accepted: boolean): void {
    this.#accepted = accepted
    this.#settled?.(accepted)
  }
}

/** Lets messages wait for a listener as long as a handler is at work. */
function waitFor(handler: PromiseLike<unknown>, socket: ContainedWebSocket): void {
  handler.then(
    () => socket.releaseMessages(),
    (error) => socket.fail(error, 'handler')
  )
}

/** `ws` wants a key where HTTP/2 has none; what comes of it is not sent there (RFC 8441 §5). */
const unusedKey = 'AAAAAAAAAAAAAAAAAAAAAA=='

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
    const accepted = enter(req, res, options, handler as WebSocketHandler, noFramework)
    if (typeof accepted !== 'boolean') await accepted
  } catch (error) {
    answerFailure(error, res, handshakeOf(req)?.options.onError ?? logFault)
  }
}
