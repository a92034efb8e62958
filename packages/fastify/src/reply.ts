import type { AcceptOptions, WebSocket } from '@oneport/core'
import { agree, answerFault, asError, type HandlerArguments, splitArguments, whenSettled } from '@oneport/core/adapter'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { RequestBinding } from './binding.ts'
import type { Logs } from './serving.ts'

/** Called with the open socket; `this` is the Fastify instance of the route. */
export type ReplyHandler = (this: FastifyInstance, socket: WebSocket) => unknown

/**
 * Creates `reply.acceptWebSocket`.
 * @param send sends the 101
 */
export function acceptWebSocket(
  { refusals, closed }: Logs,
  send: (reply: FastifyReply) => void = sendSwitching
): FastifyReply['acceptWebSocket'] {
  return function (this: FastifyReply, ...given: HandlerArguments<AcceptOptions, ReplyHandler>): Promise<void> {
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
      return whenSettled(agreement)
    } catch (error) {
      return fail(this, error)
    }
  }
}

/**
 * Sends the 101 as a reply, so that it goes through onSend hooks and has the header fields of `reply.header()`. If a
 * hook fails, the error handler sends another reply, which must not have status 101 even if the handler does not set
 * one.
 */
function sendSwitching(reply: FastifyReply): void {
  const { send } = reply
  reply.send = Object.hasOwn(reply, 'send') ? (payload) => another(reply, send, payload) : sendAnother
  reply.code(101)
  Reflect.apply(send, reply, [])
}

/** The method `send` of a reply whose 101 is on its way; a closure for each reply would cost more. */
function sendAnother(this: FastifyReply, payload?: unknown): FastifyReply {
  return another(this, (Object.getPrototypeOf(this) as FastifyReply).send, payload)
}

function another(reply: FastifyReply, send: FastifyReply['send'], payload: unknown): FastifyReply {
  reply.send = send
  // For an async route that did not wait, Fastify sends no payload.
  if (payload !== undefined && reply.statusCode === 101 && !reply.raw.headersSent) reply.code(500)
  return reply.send(payload)
}

/** Passes an error to the error handler. Resolves when the response has been sent, and never rejects. */
export async function fail(reply: FastifyReply, error: unknown): Promise<void> {
  try {
    // Fastify treats anything but an Error as a payload.
    reply.send(asError(error))
  } catch (fault) {
    answerFault(reply.request.raw, reply.raw, fault)
  }
  // Fastify would send another reply if the route returned earlier.
  await new Promise<void>((resolve) => reply.then(resolve, () => resolve()))
}
