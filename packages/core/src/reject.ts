import type { ServerResponse } from 'node:http'
import { HandshakeError } from './errors.ts'
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
    onError(error, { phase: 'dispatch', socket: undefined })
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
