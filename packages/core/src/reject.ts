import type { ServerResponse } from 'node:http'
import type { HandshakeError } from './errors.ts'

/**
 * Writes a refusal as an ordinary response in plain text, for servers without a framework.
 * It does nothing where the response has begun.
 */
export function refuse(res: ServerResponse, error: HandshakeError): void {
  respond(res, error.status, `${error.message}\n`, error.headers)
}

/** Writes the answer to a handshake whose dispatch failed: 500, and nothing of the fault. */
export function respondFault(res: ServerResponse): void {
  respond(res, 500, 'Internal Server Error\n', {})
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
