import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline, type Readable } from 'node:stream'
import { type AcceptOptions, acceptWebSocket } from './accept.ts'
import { receiverOf } from './adopt.ts'
import type { HandshakeRequest, HandshakeResponse } from './handshake.ts'
import { serverOf } from './node.ts'
import { type ResolvedOptions, resolveOptions } from './options/server.ts'
import { answerFailure } from './refuse.ts'
import { attachmentOf } from './registry.ts'
import { asError } from './reports/thrown.ts'
import { splitCredential } from './rules/credential.ts'
import { checkOrdinaryRequest, type FrameworkBinding, isWebSocketRequest, noFramework } from './rules/rules.ts'
import type { WebSocket } from './websocket.ts'

/** A response that an application sends. */
export interface ServiceResponse {
  /** The status. */
  readonly status: number
  /** The header fields. */
  readonly headers: Readonly<Record<string, string>>
  /** The body. A stream may last until the client leaves. */
  readonly body: string | Readable
}

/** What speaks one protocol over WebSockets and over plain HTTP, such as the topics of `@oneport/topics`. */
export interface SocketService<Access> {
  /** The subprotocol that clients must offer (RFC 6455 §1.9). */
  readonly subprotocol: string
  /** Serves an accepted socket. */
  serve(socket: WebSocket, access: Access): void
  /** Answers an ordinary request. Rejects only if something is wrong with the server, or the client has left. */
  respond(req: IncomingMessage, access: Access, body?: unknown): Promise<ServiceResponse>
}

/** The options of the attachment of a request's server, or the defaults. */
function serverOptions({ socket }: IncomingMessage): ResolvedOptions {
  const server = serverOf(socket)
  return receiverOf(server && attachmentOf(server))?.options ?? resolveOptions({})
}

/** The options of the endpoint at which a service is served: clients must offer its subprotocol. */
export const serviceOptions = <Options extends AcceptOptions>(
  { subprotocol }: Pick<SocketService<never>, 'subprotocol'>,
  options: Options | undefined
): Options & AcceptOptions => ({ subprotocols: [subprotocol], requireSubprotocol: true, ...(options as Options) })

/**
 * Answers an ordinary request to a service, for adapters, after checking its host and its origin with the rules of the
 * endpoint.
 * @param body the body, if the framework has read it
 * @throws HandshakeError HANDSHAKE_HOST or HANDSHAKE_ORIGIN, as a rejection: answer with its status and header fields
 */
export async function respondOf<Access>(
  service: SocketService<Access>,
  req: HandshakeRequest,
  access: Access,
  options?: AcceptOptions,
  framework: FrameworkBinding = noFramework,
  body?: unknown
): Promise<ServiceResponse> {
  const request = req as IncomingMessage
  checkOrdinaryRequest(request, serverOptions(request), options && splitCredential(options)[0], framework)
  return service.respond(request, access, body)
}

/** Sends a response of a service, for adapters. */
export function sendResponse(res: HandshakeResponse, { status, headers, body }: ServiceResponse): void {
  const response = res as ServerResponse
  response.writeHead(status, headers)
  if (typeof body === 'string') response.end(body)
  // Destroys the stream if the client leaves. There is nobody to tell about that.
  else pipeline(body, response, () => {})
}

/**
 * Serves topics, or anything that speaks a protocol of its own, at one URL: over a WebSocket if the request is an opening
 * handshake, and over plain HTTP otherwise, for networks without WebSocket. The origin rules of the endpoint hold for
 * both. For servers without a framework; adapters have their own.
 *
 * @param topics the topics, from `createTopics()`
 * @param access what the client may do, passed to `topics.serve` and `topics.respond`
 * @param options options of the endpoint, and the credential of the connection
 * @returns a promise that resolves when the response has started. It never rejects.
 */
export async function serveTopics<Access>(
  req: HandshakeRequest,
  res: HandshakeResponse,
  topics: SocketService<Access>,
  access: Access,
  options?: AcceptOptions
): Promise<void> {
  if (isWebSocketRequest(req)) {
    return acceptWebSocket(req, res, serviceOptions(topics, options), (socket) => topics.serve(socket, access))
  }
  try {
    sendResponse(res, await respondOf(topics, req, access, options))
  } catch (error) {
    answerFailure(asError(error), res as ServerResponse, serverOptions(req as IncomingMessage).onError)
  }
}
