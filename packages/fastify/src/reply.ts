import {
  type AcceptOptions,
  acceptHandshake,
  answerFault,
  asError,
  isWebSocketRequest,
  type WebSocket
} from '@oneport/core'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { type RefusalLog, ReplyBinding, RequestBinding } from './binding.ts'
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
  const Binding = skipsHooks ? RequestBinding : ReplyBinding
  return async function (this: FastifyReply, ...args: [ReplyHandler] | [AcceptOptions, ReplyHandler]): Promise<void> {
    const { request } = this
    const [options, handler] = args.length === 1 ? [undefined, args[0]] : args
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
      await acceptHandshake(request.raw, this.raw, options, serveIfFunction, new Binding(this, refusalLog))
    } catch (error) {
      await fail(this, error)
    }
  }
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
