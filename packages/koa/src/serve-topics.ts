import { type AcceptOptions, isWebSocketRequest, type SocketService, type WebSocket } from '@oneport/core'
import { respondOf, serviceOptions, withDefaults } from '@oneport/core/adapter'
import type { ExtendableContext } from 'koa'
import { acceptWebSocket } from './accept.ts'
import { exposed, KoaBinding } from './binding.ts'

/**
 * Serves topics, or anything that speaks a protocol of its own: over a WebSocket if the request is an opening handshake,
 * and over plain HTTP otherwise, for networks without WebSocket. The origin rules of the endpoint hold for both. Koa
 * sends the response when all middleware has returned.
 *
 * @param topics the topics, from `createTopics()` of `@oneport/topics`
 * @param access what the client may do, passed to `topics.serve` and `topics.respond`
 * @param options options of this endpoint, which override those of `wsUpgrade`, and the credential of the connection
 * @throws HandshakeError if a rule refuses, as a rejection; Koa answers with its status and header fields
 */
export async function serveTopics<Access>(
  ctx: ExtendableContext,
  topics: SocketService<Access>,
  access: Access,
  options?: AcceptOptions
): Promise<void> {
  const { req } = ctx
  if (isWebSocketRequest(req)) {
    acceptWebSocket.call(ctx, serviceOptions(topics, options), (socket: WebSocket) => topics.serve(socket, access))
    return
  }
  try {
    const { request } = ctx as { request: { body?: unknown } }
    const all = withDefaults(req, options)
    const { status, headers, body } = await respondOf(topics, req, access, all, new KoaBinding(ctx), request.body)
    ctx.status = status
    ctx.set({ ...headers })
    ctx.body = body
    if (typeof body !== 'string') ignoreLeaving(ctx)
  } catch (error) {
    throw exposed(error)
  }
}

/** Koa reports it as an error if the client leaves before the body has ended. A stream of messages ends in no other way. */
function ignoreLeaving(ctx: ExtendableContext & { onerror?: (error: Error) => void }): void {
  const { onerror } = ctx
  ctx.onerror = (error) => {
    if ((error as NodeJS.ErrnoException | null)?.code !== 'ERR_STREAM_PREMATURE_CLOSE') onerror?.call(ctx, error)
  }
}
