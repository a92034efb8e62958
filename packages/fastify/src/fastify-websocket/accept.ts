import type { AcceptOptions, WebSocket } from '@oneport/core'
import { type HandlerArguments, isWebSocketRequest, splitArguments } from '@oneport/core/adapter'
import { type AdaptedSocketServer, askVerifyClient, type VerifyClient } from '@oneport/core/ws-compatibility'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { hasLogger } from '../log.ts'
import { acceptWebSocket, fail, type ReplyHandler } from '../reply.ts'
import type { Logs } from '../serving.ts'
import type { ErrorHandler } from './options.ts'

/** Everything that is needed to accept handshakes like `@fastify/websocket`. */
interface Acceptance {
  readonly logs: Logs
  readonly server: AdaptedSocketServer
  readonly verifyClient: VerifyClient | null | undefined
  readonly errorHandler: ErrorHandler | undefined
}

/** Creates a `reply.acceptWebSocket` that calls `verifyClient` first, and passes errors to `errorHandler`. */
export function acceptVerified({
  logs,
  server,
  verifyClient,
  errorHandler = terminate
}: Acceptance): FastifyReply['acceptWebSocket'] {
  const accept = acceptWebSocket(logs, sendUnseen)
  return async function (this: FastifyReply, ...given: HandlerArguments<AcceptOptions, ReplyHandler>): Promise<void> {
    const { request } = this
    const [options, handler] = splitArguments(given)
    const reply = this
    async function serve(this: FastifyInstance, socket: WebSocket): Promise<void> {
      server.add(socket)
      server.emit('connection', socket, request.raw)
      const onError = (error: Error): unknown => errorHandler.call(this, error, socket, request, reply)
      socket.on('error', onError)
      try {
        // The rejection of an async handler is an error of this connection too.
        await handler.call(this, socket)
      } catch (error) {
        await onError(error as Error)
        // It was not logged, so `onError` of core reports it.
        if (errorHandler === terminate && !hasLogger(request)) throw error
      }
    }
    try {
      if (verifyClient && isWebSocketRequest(request.raw) && !(await isVerified(verifyClient, this))) return
    } catch (error) {
      return fail(this, error)
    }
    await accept.call(this, options ?? {}, handler instanceof Function ? serve : handler)
  }
}

/** Sends the 101 without onSend hooks, and without the header fields of `reply.header()`. */
function sendUnseen(reply: FastifyReply): void {
  reply.raw.writeHead(101).end()
}

/** Calls `verifyClient`, and sends its refusal if it refuses. @returns whether the client is accepted */
async function isVerified(verifyClient: VerifyClient, reply: FastifyReply): Promise<boolean> {
  const refusal = await askVerifyClient(verifyClient, reply.request.raw)
  if (refusal === undefined) return true
  const { status, message, headers } = refusal
  await reply.code(status).headers(headers).send(message)
  return false
}

/** The default `errorHandler`. */
const terminate: ErrorHandler = (error, socket, request) => {
  socket.terminate()
  request.log.error(error)
}
