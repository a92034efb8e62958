import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { HandshakeError } from './errors.ts'
import { factsOf } from './reports/facts.ts'
import type { FaultReporter } from './reports/fault.ts'

/** An answer in plain text. */
export interface PlainAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | number>>
  readonly body: string
}

/** A refusal as an answer in plain text. */
export const refusalOf = ({ status, message, headers }: HandshakeError): PlainAnswer =>
  plain(status, `${message}\n`, headers)

const plain = (status: number, body: string, headers: Readonly<Record<string, string>> = {}): PlainAnswer => ({
  status,
  headers: {
    ...headers,
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    // The body may quote the request.
    'X-Content-Type-Options': 'nosniff'
  },
  body
})

/**
 * Writes a refusal as an ordinary response in plain text, for servers without a framework.
 * It does nothing where the response has begun.
 */
export const refuse = (res: ServerResponse, error: HandshakeError): void => respond(res, refusalOf(error))

/** Answers what the application did not: a refusal with its status, anything else with 500 and not a word of it. */
export function answerFailure(error: unknown, res: ServerResponse, onError: FaultReporter): void {
  if (error instanceof HandshakeError) {
    refuse(res, error)
  } else {
    onError(error, { phase: 'dispatch', request: factsOf(res.req), socket: undefined })
    respond(res, plain(500, 'Internal Server Error\n'))
  }
}

function respond(res: ServerResponse, { status, headers, body }: PlainAnswer): void {
  if (res.headersSent) {
    // Cut a response that has begun and will not end, so that the client sees the fault.
    if (!res.writableEnded) res.destroy()
    return
  }
  res.writeHead(status, headers)
  res.end(res.req.method === 'HEAD' ? undefined : body)
}

/**
 * Closes a response as if the client had gone: what the application still writes goes nowhere. It would throw if the
 * response had begun: in an async route of Express 4 this ends the process.
 */
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
