import type { AcceptOptions, WebSocket } from '@oneport/core'
import {
  agree,
  answerFault,
  asError,
  type HandlerArguments,
  isWebSocketRequest,
  splitArguments
} from '@oneport/core/adapter'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { type RefusalLog, RequestBinding } from './binding.ts'
import { type ErrorHandler, isVerified, serveWith } from './former-behaviour.ts'
import type { VerifyClient } from './former-options.ts'
import type { ClosedLog } from './log.ts'
import type { WebsocketServer } from './websocket-server.ts'

type ReplyHandler = (this: FastifyInstance, socket: WebSocket) => unknown

/** How the plugin's options have handshakes accepted. */
export interface Acceptance {
  readonly refusalLog: RefusalLog | undefined
  readonly closedLog: ClosedLog | undefined
  readonly websocketServer: WebsocketServer
  readonly verifyClient: VerifyClient | undefined
  readonly errorHandler: ErrorHandler | undefined
  /** Whether core writes the 101: without onSend hooks, and without the fields of `reply.header()`. */
  readonly skipsHooks: boolean
}

/** Makes `reply.acceptWebSocket`. */
export function acceptWebSocket(acceptance: Acceptance): FastifyReply['acceptWebSocket'] {
  const { refusalLog, closedLog, websocketServer, verifyClient, errorHandler, skipsHooks } = acceptance
  return async function (this: FastifyReply, ...given: HandlerArguments<AcceptOptions, ReplyHandler>): Promise<void> {
    const { request } = this
    const [options, handler] = splitArguments(given)
    const call = (socket: WebSocket): unknown => handler.call(request.server, socket)
    const serve = (socket: WebSocket): unknown => {
      closedLog?.begin(socket, request)
      websocketServer.emit('connection', socket, request.raw)
      return errorHandler === undefined ? call(socket) : serveWith(errorHandler, this, socket, call)
    }
    try {
      if (verifyClient !== undefined && isWebSocketRequest(request.raw) && !(await isVerified(verifyClient, this)))
        return
      const serveIfFunction = handler instanceof Function ? serve : handler
      const agreement = agree(request.raw, options, serveIfFunction, new RequestBinding(this, refusalLog))
      if (skipsHooks) this.raw.writeHead(101).end()
      else sendSwitching(this)
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
async function fail(reply: FastifyReply, error: unknown): Promise<void> {
  try {
    // Fastify takes anything but an Error for a payload.
    reply.send(asError(error))
  } catch (fault) {
    answerFault(reply.request.raw, reply.raw, fault)
  }
  // Fastify would send another reply if the route returned before.
  await new Promise<void>((resolve) => reply.then(resolve, () => resolve()))
}
