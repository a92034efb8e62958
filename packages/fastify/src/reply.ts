import type { AcceptOptions, WebSocket } from '@oneport/core'
import { agree, answerFault, asError, type HandlerArguments, splitArguments } from '@oneport/core/adapter'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { RequestBinding } from './binding.ts'
import type { Logs } from './serving.ts'

/** Gets the open socket; `this` is the Fastify instance of the route. */
export type ReplyHandler = (this: FastifyInstance, socket: WebSocket) => unknown

/**
 * Makes `reply.acceptWebSocket`.
 * @param send sends the 101
 */
export function acceptWebSocket(
  { refusals, closed }: Logs,
  send: (reply: FastifyReply) => void = sendSwitching
): FastifyReply['acceptWebSocket'] {
  return async function (this: FastifyReply, ...given: HandlerArguments<AcceptOptions, ReplyHandler>): Promise<void> {
    const { request } = this
    const [options, handler] = splitArguments(given)
    const serve = (socket: WebSocket): unknown => {
      closed?.begin(socket, request)
      return handler.call(request.server, socket)
    }
    try {
      const serveIfFunction = handler instanceof Function ? serve : handler
      const agreement = agree(request.raw, options, serveIfFunction, new RequestBinding(this, refusals))
      send(this)
      await agreement.settled()
    } catch (error) {
      await fail(this, error)
    }
  }
}

/**
 * Sends the 101 as a reply, so that onSend hooks see it and the fields of `reply.header()` go onto it. Where a hook fails,
 * the error handler sends the next reply; one that leaves the status alone must not send 101.
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

/** Hands a fault to the error handler; resolves when the answer has been sent, and does not reject. */
export async function fail(reply: FastifyReply, error: unknown): Promise<void> {
  try {
    // Fastify takes anything but an Error for a payload.
    reply.send(asError(error))
  } catch (fault) {
    answerFault(reply.request.raw, reply.raw, fault)
  }
  // Fastify would send another reply if the route returned before.
  await new Promise<void>((resolve) => reply.then(resolve, () => resolve()))
}
