import type { IncomingMessage, ServerResponse } from 'node:http'
import { type AcceptOptions, isWebSocketRequest, type SocketService, type WebSocket } from '@oneport/core'
import { respondOf, sendResponse, serviceOptions } from '@oneport/core/adapter'
import type { Request } from 'express'
import { acceptWebSocket, ExpressBinding, optionsFor, passOn } from './accept.ts'

/**
 * Serves topics, or anything that speaks a protocol of its own, in a route for all methods: over a WebSocket if the
 * request is an opening handshake, and over plain HTTP otherwise, for networks without WebSocket. The origin rules of the
 * endpoint hold for both. A refusal goes to the error middleware of the application as a `HandshakeError`.
 *
 * @param topics the topics, from `createTopics()` of `@oneport/topics`
 * @param access what the client may do, passed to `topics.serve` and `topics.respond`
 * @param options options of this endpoint, which override those of `wsUpgrade`, and the credential of the connection
 * @returns a promise that resolves when the response has started or the refusal was passed on. It never rejects.
 */
export async function serveTopics<Access>(
  req: IncomingMessage,
  res: ServerResponse,
  topics: SocketService<Access>,
  access: Access,
  options?: AcceptOptions
): Promise<void> {
  const serve = (socket: WebSocket): void => topics.serve(socket, access)
  if (isWebSocketRequest(req)) return acceptWebSocket(req, res, serviceOptions(topics, options), serve)
  const request = req as Request
  try {
    const response = await respondOf(topics, req, access, optionsFor(req, options), new ExpressBinding(request))
    // The client may have left.
    if (!res.destroyed) sendResponse(res, response)
  } catch (error) {
    passOn(request, res, error)
  }
}
