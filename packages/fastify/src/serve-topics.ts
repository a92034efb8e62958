import { type AcceptOptions, isWebSocketRequest, type SocketService } from '@oneport/core'
import { respondOf, serviceOptions } from '@oneport/core/adapter'
import type { FastifyReply } from 'fastify'
import { RequestBinding } from './binding.ts'

/**
 * Serves topics, or anything that speaks a protocol of its own, in a route for GET and POST: over a WebSocket if the
 * request is an opening handshake, and over plain HTTP otherwise, for networks without WebSocket. The origin rules of the
 * endpoint hold for both. Return the result from the route: a refusal rejects, and goes to the error handler.
 *
 * For binary messages by POST, add a parser for `application/octet-stream` that returns a `Buffer`.
 *
 * @param topics the topics, from `createTopics()` of `@oneport/topics`
 * @param access what the client may do, passed to `topics.serve` and `topics.respond`
 * @param options options of this endpoint, and the credential of the connection
 * @throws HandshakeError if a rule refuses an ordinary request, as a rejection
 */
export async function serveTopics<Access>(
  reply: FastifyReply,
  topics: SocketService<Access>,
  access: Access,
  options?: AcceptOptions
): Promise<unknown> {
  const { request } = reply
  const { raw, body: given } = request
  if (isWebSocketRequest(raw)) {
    await reply.acceptWebSocket(serviceOptions(topics, options), (socket) => topics.serve(socket, access))
    return reply
  }
  const binding = new RequestBinding(reply, undefined)
  const { status, headers, body } = await respondOf(topics, raw, access, options, binding, given)
  // @fastify/compress does not heed `no-transform`. It would hold back what is sent until there is enough to compress.
  if (typeof body !== 'string') request.headers = { ...request.headers, 'x-no-compression': 'stream' }
  return reply.code(status).headers(headers).send(body)
}
