import type { IncomingHttpHeaders } from 'node:http'

/** The head of an answer. */
export interface Head {
  /** 101 where a handshake was accepted; over HTTP/2 that is 200 on the wire (RFC 8441 §5). */
  readonly status: number
  /** Header fields, by their name in lower case. */
  readonly headers: IncomingHttpHeaders
  /** The version of HTTP: `1.1` or `2.0`. */
  readonly httpVersion: string
}
