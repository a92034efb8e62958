import type { IncomingHttpHeaders } from 'node:http'

/** Status and header fields of a response. */
export interface Head {
  /** 101 if the handshake was accepted, or 200 over HTTP/2 (RFC 8441 §5). */
  readonly status: number
  /** Header fields, with lowercase names. */
  readonly headers: IncomingHttpHeaders
  /** The HTTP version: `1.1` or `2.0`. */
  readonly httpVersion: string
}
