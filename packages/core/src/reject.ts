import { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { HandshakeError } from './errors.ts'
import { factsOf } from './facts.ts'
import type { FaultReporter } from './fault.ts'

/**
 * Writes a refusal as an ordinary response in plain text, for servers without a framework.
 * It does nothing where the response has begun.
 */
export function refuse(res: ServerResponse, error: HandshakeError): void {
  respond(res, error.status, `${error.message}\n`, error.headers)
}

/** Answers what the application did not: a refusal with its status, anything else with 500 and not a word of it. */
export function answerFailure(error: unknown, res: ServerResponse, onError: FaultReporter): void {
  if (error instanceof HandshakeError) {
    refuse(res, error)
  } else {
    onError(error, { phase: 'dispatch', request: factsOf(res.req), socket: undefined })
    respond(res, 500, 'Internal Server Error\n', {})
  }
}

function respond(res: ServerResponse, status: number, body: string, headers: Readonly<Record<string, string>>): void {
  if (res.headersSent) {
    // Cut a response that has begun and will not end, so that the client sees the fault.
    if (!res.writableEnded) res.destroy()
    return
  }
  res.writeHead(status, {
    ...headers,
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    // The body may quote the request.
    'X-Content-Type-Options': 'nosniff'
  })
  res.end(res.req.method === 'HEAD' ? undefined : body)
}

/**
 * Refuses in place of an application that has not answered in time.
 *
 * The answer is a response of its own. The application may still use its response, and would throw if that had begun:
 * in an async route of Express 4 this ends the process. So that one is only closed, as if the client had gone.
 */
export function refuseInPlaceOf(response: ServerResponse, rawSocket: Duplex, error: HandshakeError): void {
  closeUnanswered(response, rawSocket)
  const answer = new ServerResponse(response.req)
  answer.shouldKeepAlive = false
  answer.assignSocket(rawSocket as never)
  answer.once('finish', () => closeAfterReading(rawSocket))
  refuse(answer, error)
}

/** Closes a response as if the client had gone: what the application still writes goes nowhere. */
export function closeUnanswered(response: ServerResponse, rawSocket: Duplex): void {
  if (response.destroyed) return
  if (response.socket !== null) response.detachSocket(rawSocket as never)
  ;(response as { destroyed: boolean }).destroyed = true
  process.nextTick(() => response.emit('close'))
}

/** Time that a refused client has to close its side, in milliseconds (RFC 9112 §9.6). */
const lingerMs = 1_000

/**
 * Ends a refused connection after the client has read its answer: bytes that arrive at a closed TCP socket make the
 * kernel answer with a reset, which can destroy the answer on its way (RFC 9112 §9.6).
 */
export function closeAfterReading(rawSocket: Duplex): void {
  rawSocket.resume()
  rawSocket.end()
  const timer = setTimeout(() => rawSocket.destroy(), lingerMs)
  rawSocket.once('close', () => clearTimeout(timer))
}
