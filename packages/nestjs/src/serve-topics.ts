import type { ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import type { AcceptOptions, HandshakeRequest, HandshakeResponse, SocketService } from '@oneport/core'
import { agree, isWebSocketRequest, respondOf, sendResponse, serviceOptions, whenSettled } from '@oneport/core/adapter'
import { RequestBinding } from './binding.ts'
import { type FrameworkRequest, type FrameworkResponse, rawOf } from './framework.ts'
import { forFilters } from './refusal.ts'

/** A request or a reply of Fastify. */
interface OfFastify<Raw> {
  /** The request or the response of Node. */
  readonly raw: Raw
}

/** The part of a reply of Fastify that this file uses. */
interface FastifyReply extends OfFastify<HandshakeResponse> {
  readonly request: { headers: object }
  code(status: number): FastifyReply
  headers(fields: object): FastifyReply
  send(body?: string | Readable): FastifyReply
  then(resolve: () => void, reject: () => void): void
}

interface WithBody extends FrameworkRequest {
  /** What the parsers of Nest have made of the body, and with the option `rawBody` the body itself. */
  readonly body?: unknown
  readonly rawBody?: Buffer
}

/**
 * Serves topics, or anything that speaks a protocol of its own, in a method with `@All()` of a controller: over a
 * WebSocket if the request is an opening handshake, and over plain HTTP otherwise, for networks without WebSocket. The
 * origin rules of the endpoint hold for both.
 *
 * @param request the request of Express or Fastify, from `@Req()`
 * @param response the response of Express or the reply of Fastify, from `@Res()` without `passthrough`
 * @param topics the topics, from `createTopics()` of `@oneport/topics`
 * @param access what the client may do, passed to `topics.serve` and `topics.respond`
 * @param options options of this endpoint, which override those of `OneportAdapter`, and the credential of the connection
 * @returns a promise that resolves when the response has started. Return it from the method
 * @throws HandshakeError if a rule refuses, as a rejection; exception filters get it
 */
export async function serveTopics<Access>(
  request: HandshakeRequest | OfFastify<HandshakeRequest>,
  response: HandshakeResponse | OfFastify<HandshakeResponse>,
  topics: SocketService<Access>,
  access: Access,
  options?: AcceptOptions
): Promise<void> {
  const given = request as unknown as WithBody
  const raw = rawOf(given)
  const binding = new RequestBinding(given)
  try {
    if (isWebSocketRequest(raw)) {
      const open = serviceOptions(topics, options)
      const agreement = agree(raw, open, (socket) => topics.serve(socket, access), binding)
      if ('raw' in response) (response as FastifyReply).code(101).send()
      else (response as ServerResponse).writeHead(101).end()
      await whenSettled(agreement)
      return
    }
    const answer = await respondOf(topics, raw, access, options, binding, given.rawBody ?? given.body)
    if ('raw' in response) await sendReply(response as FastifyReply, answer)
    // The client may have left.
    else if (!response.destroyed) sendResponse(response, answer)
  } catch (error) {
    throw forFilters(error, response as unknown as FrameworkResponse)
  }
}

/** Resolves when the reply has started, because Fastify sends another one for a route that returns earlier. */
async function sendReply(
  reply: FastifyReply,
  { status, headers, body }: Awaited<ReturnType<typeof respondOf>>
): Promise<void> {
  const started = new Promise<void>((resolve) => {
    reply.then(resolve, resolve)
    // A stream may last for hours.
    if (typeof body !== 'string') body.once('resume', resolve)
  })
  const { request } = reply
  // @fastify/compress does not heed `no-transform`. It would hold back what is sent until there is enough to compress.
  if (typeof body !== 'string') request.headers = { ...request.headers, 'x-no-compression': 'stream' }
  reply.code(status).headers(headers).send(body)
  await started
}
