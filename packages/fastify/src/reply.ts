import {
  type AcceptOptions,
  type AttachOptions,
  acceptHandshake,
  type EffectiveRequest,
  type HandshakeError,
  type WebSocket
} from '@oneport/core'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { noteLogLevel } from './log.ts'

type ReplyHandler = (this: FastifyInstance, socket: WebSocket) => unknown

/** Makes `reply.acceptWebSocket`; refusals are logged with the request's own logger unless `onRefused` takes them. */
export function acceptWebSocket(onRefused: AttachOptions['onRefused']): FastifyReply['acceptWebSocket'] {
  return async function (this: FastifyReply, ...args: [ReplyHandler] | [AcceptOptions, ReplyHandler]): Promise<void> {
    const { request } = this
    const [options, handler] = args.length === 1 ? [undefined, args[0]] : args
    const serve = (socket: WebSocket): unknown => {
      noteLogLevel(socket, request)
      return handler.call(request.server, socket)
    }
    try {
      await acceptHandshake(request.raw, this.raw, options, handler instanceof Function ? serve : handler, {
        send: () => sendSwitching(this),
        effectiveRequest: () => effectiveRequest(request),
        requestId: request.id,
        onRefused: (error) => (onRefused === undefined ? logRefusal(request, error) : onRefused(error, request.raw))
      })
    } catch (error) {
      // Fastify takes anything but an Error for a payload.
      this.send(error instanceof Error ? error : new Error('A function in the options threw', { cause: error }))
      // A reply is awaited until it has been sent; Fastify would send another one if the route returned before.
      await this
    }
  }
}

/**
 * Sends the 101 as any other reply, so that onSend hooks see it and the fields of `reply.header()` go onto it.
 * Where a hook fails, the error handler sends the next reply; one that leaves the status alone must not send 101.
 */
function sendSwitching(reply: FastifyReply): void {
  const { send } = reply
  reply.send = (payload?: unknown) => {
    reply.send = send
    // Fastify itself sends nothing again for an async route that did not wait.
    if (payload !== undefined && reply.statusCode === 101 && !reply.raw.headersSent) reply.code(500)
    return reply.send(payload)
  }
  reply.code(101)
  Reflect.apply(send, reply, [])
}

/** The error handler logs or answers the refusal itself; here goes what only the operator may see. */
function logRefusal(request: FastifyRequest, { code, detail, message }: HandshakeError): void {
  if (detail !== undefined) request.log.warn({ code, detail }, message)
}

/** Scheme and host that the client meant to reach, after the server's setting `trustProxy`. */
function effectiveRequest(request: FastifyRequest): EffectiveRequest {
  const { host, protocol } = request
  // More than one address: a trusted proxy speaks. A plain connection that none speaks for may still have begun as TLS.
  const isForwarded = (request.ips?.length ?? 0) > 1 && request.headers['x-forwarded-proto'] !== undefined
  // Some proxies, Traefik among them, forward `wss` and `ws`.
  const isSecure = protocol === 'https' || (protocol as string) === 'wss'
  return {
    host,
    scheme: isSecure ? 'https' : isForwarded ? 'http' : undefined,
    get address() {
      return request.ip
    }
  }
}
