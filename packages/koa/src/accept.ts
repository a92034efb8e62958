import type { AcceptOptions, WebSocket } from '@oneport/core'
import { agree, type HandlerArguments, splitArguments, withDefaults } from '@oneport/core/adapter'
import type { ExtendableContext, ParameterizedContext } from 'koa'
import { exposed, KoaBinding } from './binding.ts'

/**
 * Handles one connection. Called with the open socket and the context, in the same tick as the 101 is written. If it
 * throws or rejects, the error goes to `onError` and the connection is closed with 1011 (RFC 6455 §7.4.1).
 */
export type WebSocketHandler<Context = ParameterizedContext> = (socket: WebSocket, ctx: Context) => unknown

declare module 'koa' {
  interface ExtendableContext {
    /**
     * Accepts the opening handshake of this request. Koa sends the 101 when all middleware has returned, with every
     * header field that is set by then, and `handler` is called with the open socket in the same tick. If the response
     * gets another status, no socket is opened.
     *
     * Exists behind `wsUpgrade()`.
     *
     * @param handler called with the open socket and the context
     * @throws HandshakeError if a rule refuses; Koa answers with its status and header fields
     */
    acceptWebSocket(handler: WebSocketHandler<this>): void
    /**
     * Accepts the opening handshake of this request, with options for this endpoint or connection. Koa sends the 101
     * when all middleware has returned.
     *
     * @param options options of this endpoint, which override those of `wsUpgrade`, and the credential of this
     *   connection
     * @param handler called with the open socket and the context
     * @throws HandshakeError if a rule refuses; Koa answers with its status and header fields
     * @throws TypeError if an option is wrong
     */
    acceptWebSocket(options: AcceptOptions, handler: WebSocketHandler<this>): void
  }
}

/** The method `ctx.acceptWebSocket`. */
export function acceptWebSocket(
  this: ExtendableContext,
  ...given: HandlerArguments<AcceptOptions, WebSocketHandler<ExtendableContext>>
): void {
  const { req } = this
  const [options, handler] = splitArguments(given)
  const serve = handler instanceof Function ? (socket: WebSocket): unknown => handler(socket, this) : handler
  try {
    agree(req, withDefaults(req, options), serve, new KoaBinding(this))
  } catch (error) {
    throw exposed(error)
  }
  this.status = 101
  // Koa will send nothing.
  if (this.respond === false) this.res.writeHead(101).end()
}
