import { type ServerResponse, STATUS_CODES } from 'node:http'
import { HandshakeError } from './errors.ts'
import { factsOf } from './reports/facts.ts'
import type { FaultReporter } from './reports/fault.ts'

/** A plain-text answer. */
export interface PlainAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | number>>
  readonly body: string
}

/** The plain-text answer for a refusal. */
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
 * Answers a refusal in plain text, for servers without a framework. If the response has started but not ended, it is
 * destroyed instead.
 */
export const refuse = (res: ServerResponse, error: HandshakeError): void => respond(res, refusalOf(error))

/**
 * Answers for an application that has failed: a refusal with its status, anything else with 500 and no details. Never
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
    // Cut a response that has started and will not end, so that the client sees the failure.
    if (!res.writableEnded) res.destroy()
    return
  }
  // Pass a reason phrase, because the application may have set one that Node refuses, for example with a line break.
  res.writeHead(status, STATUS_CODES[status] ?? '', headers)
  res.end(res.req.method === 'HEAD' ? undefined : body)
}
