import { type ServerResponse, STATUS_CODES } from 'node:http'
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

/**
 * Answers what the application did not: a refusal with its status, anything else with 500 and not a word of it. Never
 * throws.
 */
export function answerFailure(error: unknown, res: ServerResponse, onError: FaultReporter): void {
  const isRefusal = error instanceof HandshakeError
  if (!isRefusal) onError(error, { phase: 'dispatch', request: factsOf(res.req), socket: undefined })
  try {
    respond(res, isRefusal ? refusalOf(error) : plain(500, 'Internal Server Error\n'))
  } catch (fault) {
    onError(fault, { phase: 'dispatch', request: factsOf(res.req), socket: undefined })
    res.destroy()
  }
}

function respond(res: ServerResponse, { status, headers, body }: PlainAnswer): void {
  if (res.headersSent) {
    // Cut a response that has begun and will not end, so that the client sees the fault.
    if (!res.writableEnded) res.destroy()
    return
  }
  // With a reason of its own: one that the application has set may hold what Node refuses, such as a line break.
  res.writeHead(status, STATUS_CODES[status] ?? '', headers)
  res.end(res.req.method === 'HEAD' ? undefined : body)
}
