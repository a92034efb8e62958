import { Readable } from 'node:stream'
import type { AcceptOptions, SocketService } from '@oneport/core'
import { respondOf, serviceOptions } from '@oneport/core/adapter'
import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { acceptWebSocket } from './accept.ts'
import { ContextBinding } from './binding.ts'
import { exchangeOf, isWebSocketRequest } from './exchange.ts'
import { withResponse } from './refusal.ts'

/**
 * Serves topics, or anything that speaks a protocol of its own, in a route for GET and POST: over a WebSocket if the
 * request is an opening handshake, and over plain HTTP otherwise, for networks without WebSocket. The origin rules of the
 * endpoint hold for both. Return the result as the route's response.
 *
 * @param topics the topics, from `createTopics()` of `@oneport/topics`
 * @param access what the client may do, passed to `topics.serve` and `topics.respond`
 * @param options options of this endpoint, which override those of `attach`, and the credential of the connection
 * @throws HandshakeError if a rule refuses, as a rejection, so `app.onError` gets it
 */
export async function serveTopics<Access>(
  c: Context,
  topics: SocketService<Access>,
  access: Access,
  options?: AcceptOptions
): Promise<Response> {
  if (isWebSocketRequest(c)) {
    return acceptWebSocket(c, serviceOptions(topics, options), (socket) => topics.serve(socket, access))
  }
  try {
    const { incoming } = exchangeOf(c, 'serveTopics')
    const { status, headers, body } = await respondOf(topics, incoming, access, options, new ContextBinding(c))
    const payload = typeof body === 'string' ? body : (Readable.toWeb(body) as ReadableStream)
    return c.body(payload, status as ContentfulStatusCode, { ...headers })
  } catch (error) {
    throw withResponse(error)
  }
}
