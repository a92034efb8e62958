import type { IncomingMessage, ServerResponse } from 'node:http'
import type { WebSocket } from 'ws'
import { type Checked, check, type FrameworkBinding, reportingRefusals } from './check.ts'
import { type Credential, type ResolvedCredential, resolveCredential, splitCredential } from './credential.ts'
import type { EndpointOptions } from './endpoint.ts'
import { show } from './errors.ts'
import { contain } from './fault.ts'
import { type HandshakeRequest, type HandshakeResponse, handshakeOf } from './handshake.ts'
import { listMembers } from './http-fields.ts'
import type { Slot } from './limits.ts'
import { logFault } from './log.ts'
import { answerFailure } from './reject.ts'
import { openWebSocket } from './ws-bridge.ts'

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
  framework: FrameworkBinding = {}
): Promise<boolean> {
  if (typeof handler !== 'function') {
    throw new TypeError(`acceptWebSocket: expected a handler (socket, req) => …; got ${show(handler)}`)
  }
  const [endpointOptions, given] = options === undefined ? [] : splitCredential(options)
  const { checked, credential, slot } = reportingRefusals(req, framework, () => {
    const checked = check(req, endpointOptions, framework)
    const credential = given === undefined ? undefined : resolveCredential(given)
    return { checked, credential, slot: checked.handshake.connections.limits.take(checked.effective) }
  })
  return new Promise((resolve, reject) => {
    const abandon = (): void => {
      slot.release()
      resolve(false)
    }
    try {
      checked.handshake.accept({
        open: () => {
          const opened = open(checked, { slot, credential, requestId: framework.requestId }, req, handler)
          if (opened) resolve(true)
          return opened
        },
        abandon
      })
      if (framework.send !== undefined) framework.send()
      else res.writeHead(101).end()
    } catch (error) {
      if (checked.handshake.state !== 'accepted') slot.release()
      reject(error)
    }
  })
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
  request: HandshakeRequest,
  response: HandshakeResponse,
  ...rest: [WebSocketHandler<never>] | [AcceptOptions, WebSocketHandler<never>]
): Promise<void> {
  const [options, handler] = rest.length === 1 ? [undefined, rest[0]] : rest
  const [req, res] = [request as IncomingMessage, response as ServerResponse]
  try {
    await acceptHandshake(req, res, options, handler as WebSocketHandler)
  } catch (error) {
    answerFailure(error, res, handshakeOf(req)?.options.onError ?? logFault)
  }
}

/** `ws` wants a key where HTTP/2 has none; what comes of it is not sent there (RFC 8441 §5). */
const unusedKey = 'AAAAAAAAAAAAAAAAAAAAAA=='

/** Without the empty members that a list may have (RFC 9110 §5.6.1) and `ws` does not take. */
function offeredExtensions(req: IncomingMessage): string | undefined {
  const value = req.headers['sec-websocket-extensions']
  return value === undefined ? undefined : listMembers(value).join(', ')
}

/** With what a connection joins the others. */
interface Entry {
  readonly slot: Slot
  readonly credential: ResolvedCredential | undefined
  readonly requestId: string | undefined
}

/** The hand-off: the response writes the 101, `ws` takes the raw socket, the handler gets the socket. */
function open<Request extends IncomingMessage>(
  { handshake, endpoint, subprotocol }: Checked,
  { slot, credential, requestId }: Entry,
  req: Request,
  handler: WebSocketHandler<Request>
): boolean {
  const { rawSocket, head, connections } = handshake
  return openWebSocket(
    rawSocket,
    head,
    {
      key: req.headers['sec-websocket-key'] ?? unusedKey,
      subprotocol,
      extensions: offeredExtensions(req),
      writeHead: (fields) => handshake.transport.switchProtocols(handshake, fields),
      onOpen: (socket) => {
        const kept = { id: requestId, path: handshake.path }
        socket.begin(rawSocket, endpoint.connection, connections, kept)
        connections.stats.accepted(socket, req, handshake.since)
        connections.add(socket, slot, credential)
        contain(
          () => handler(socket, req),
          (error) => socket.fail(error, 'handler'),
          () => socket.releaseMessages()
        )
      }
    },
    endpoint.connection
  )
}
