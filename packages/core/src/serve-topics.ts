import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline, type Readable } from 'node:stream'
import { type AcceptOptions, acceptWebSocket } from './accept.ts'
import { HandshakeError } from './errors.ts'
import { type HandshakeOwner, type HandshakeRequest, type HandshakeResponse, tellFramework } from './handshake.ts'
import { internalsFor } from './internals.ts'
import { HttpClient, type ServiceClient } from './life/http-clients.ts'
import { type ResolvedOptions, resolveOptions } from './options/server.ts'
import { answerFailure } from './refuse.ts'
import { logFault } from './reports/log.ts'
import { asError } from './reports/thrown.ts'
import { resolveCredential, splitCredential } from './rules/credential.ts'
import type { EffectiveRequest } from './rules/effective.ts'
import {
  checkOrdinaryRequest,
  type FrameworkBinding,
  isWebSocketRequest,
  noFramework,
  shuttingDown
} from './rules/rules.ts'
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
  respond(req: IncomingMessage, access: Access, body?: unknown, client?: ServiceClient): Promise<ServiceResponse>
}

const optionsOf = (owner: HandshakeOwner | undefined): ResolvedOptions => owner?.options ?? resolveOptions({})

/** The options of the endpoint at which a service is served: clients must offer its subprotocol. */
export const serviceOptions = <Options extends AcceptOptions>(
  { subprotocol }: Pick<SocketService<never>, 'subprotocol'>,
  options: Options | undefined
): Options & AcceptOptions => ({ subprotocols: [subprotocol], requireSubprotocol: true, ...(options as Options) })

/**
 * Answers an ordinary request to a service, for adapters, after checking its host and its origin with the rules of the
 * endpoint. A client that waits, with a GET, takes a place among the connections of the server and of its address. The
 * response ends when its credential expires or is revoked, and when the server drains.
 * @param body the body, if the framework has read it
 * @throws HandshakeError HANDSHAKE_HOST, HANDSHAKE_ORIGIN or HANDSHAKE_EXPIRED, as a rejection: answer with its status and
 *   header fields
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
  const owner = internalsFor(request)
  const client = admit(request, owner, options, framework)
  const leave = (): void => owner?.connections.http.delete(client)
  try {
    const response = await service.respond(request, access, body, client)
    if (typeof response.body === 'string' || response.body.destroyed) leave()
    else response.body.once('close', leave)
    return response
  } catch (error) {
    leave()
    throw error
  }
}

/** @throws HandshakeError */
function admit(
  req: IncomingMessage,
  owner: HandshakeOwner | undefined,
  options: AcceptOptions | undefined,
  framework: FrameworkBinding
): HttpClient {
  const server = optionsOf(owner)
  const report = (error: unknown): void => {
    if (!(error instanceof HandshakeError)) return
    owner?.connections.stats.refused(error, req, performance.now())
    if (framework.onRefused === undefined) server.onRefused(error, req, framework)
    else tellFramework(framework, error, logFault, req)
  }
  try {
    const [endpoint, credential] = options === undefined ? [] : splitCredential(options)
    const effective = checkOrdinaryRequest(req, server, endpoint, framework)
    const client = new HttpClient(effective, credential && resolveCredential(credential))
    if (owner !== undefined) enter(client, effective, req, owner, report)
    return client
  } catch (error) {
    report(error)
    throw error
  }
}

/** A client for which there is no room is told so by the service: only that knows how its clients come back. */
function enter(
  client: HttpClient,
  effective: EffectiveRequest,
  { method }: IncomingMessage,
  { connections }: HandshakeOwner,
  report: (error: unknown) => void
): void {
  connections.http.add(client)
  try {
    if (connections.draining) throw shuttingDown()
    if (method === 'GET') connections.http.takePlace(client, effective)
  } catch (error) {
    report(error)
    client.expel(error instanceof HandshakeError ? error.status : 500)
  }
}

/** Sends a response of a service, for adapters. */
export function sendResponse(res: HandshakeResponse, { status, headers, body }: ServiceResponse): void {
  const response = res as ServerResponse
  if (typeof body === 'string') {
    // If a response in chunks closes its connection, the `fetch` of Node takes one that is cut off for complete.
    response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) }).end(body)
    return
  }
  response.writeHead(status, headers)
  // Destroys the stream if the client leaves. There is nobody to tell about that.
  pipeline(body, response, () => {})
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
    answerFailure(asError(error), res as ServerResponse, optionsOf(internalsFor(req as IncomingMessage)).onError)
  }
}
