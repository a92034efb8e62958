import { HandshakeError } from '@oneport/core'

/**
 * Lets Hono answer a refusal. Its default error handler asks the error for a response, as an `HTTPException` has one; it
 * prints all other errors and answers 500.
 */
export function withResponse(error: unknown): unknown {
  if (!(error instanceof HandshakeError)) return error
  return Object.defineProperty(error, 'getResponse', { configurable: true, value: responseTo })
}

function responseTo(this: HandshakeError): Response {
  // The body may quote the request.
  const headers = { ...this.headers, 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' }
  return new Response(`${this.message}\n`, { status: this.status, headers })
}
