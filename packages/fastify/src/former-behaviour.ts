import { STATUS_CODES } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { WebSocket } from '@oneport/core'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify'
import type { VerifyClient, VerifyClientCallback, VerifyClientInfo } from './former-options.ts'
import { hasLogger } from './log.ts'

/** Takes what a connection's handler throws, and the errors of its socket, in place of `onError`. */
export type ErrorHandler = (
  this: FastifyInstance,
  error: Error,
  socket: WebSocket,
  request: FastifyRequest,
  reply: FastifyReply
) => unknown

/** Serves a connection, with `errorHandler` for what goes wrong. */
export async function serveWith(
  errorHandler: ErrorHandler,
  reply: FastifyReply,
  socket: WebSocket,
  serve: (socket: WebSocket) => unknown
): Promise<void> {
  const { request } = reply
  // What an async one rejects with is a fault of this connection, as what it throws.
  const onError = (error: Error): unknown => errorHandler.call(request.server, error, socket, request, reply)
  socket.on('error', onError)
  try {
    await serve(socket)
  } catch (error) {
    await onError(error as Error)
  }
}

/** What `@fastify/websocket` does where there is no `errorHandler`; without a logger, `onError` takes the error. */
export const formerErrorHandler: ErrorHandler = (error, socket, request) => {
  socket.terminate()
  if (!hasLogger(request)) throw error
  request.log.error(error)
}

/** What it does where there is no `preClose`: its clients learn no reason. */
export async function closeAll(this: FastifyInstance): Promise<void> {
  for (const socket of this.websockets.connections) socket.close()
}

/** Serves a handshake at a route that is no endpoint. */
export function closeUnhandled(this: FastifyInstance, socket: WebSocket, { url }: FastifyRequest): void {
  this.log.info({ path: url }, 'closed incoming websocket connection for path with no websocket handler')
  socket.close()
}

/** Answers an ordinary request at a `{ websocket: true }` route. */
export const notFound: RouteHandlerMethod = (_request, reply) => {
  reply.code(404).send()
}

/** Asks `verifyClient`; where it says no, answers as it says. @returns whether it said yes */
export async function isVerified(verifyClient: VerifyClient, reply: FastifyReply): Promise<boolean> {
  const req = reply.request.raw
  const secure = (req.socket as Partial<TLSSocket>).encrypted === true
  const verdict = await ask(verifyClient, { origin: req.headers.origin as string, secure, req })
  const [isWelcome, code = 401, message = STATUS_CODES[code], headers = {}] = verdict
  if (!isWelcome) await reply.code(code).headers(headers).send(message)
  return isWelcome
}

/** As `ws` does, by the number of parameters. */
function ask(verifyClient: VerifyClient, info: VerifyClientInfo): Promise<Parameters<VerifyClientCallback>> {
  const callsBack = verifyClient.length === 2
  return new Promise((resolve, reject) => {
    Promise.resolve(verifyClient(info, (...verdict) => resolve(verdict))).then((isWelcome) => {
      if (!callsBack) resolve([Boolean(isWelcome)])
    }, reject)
  })
}
