import type { IncomingHttpHeaders } from 'node:http'

/** The head of an answer. */
export interface Head {
  /** 101 where a handshake was accepted; over HTTP/2 that is 200 on the wire (RFC 8441 §5). */
  readonly status: number
  /** Header fields, by their name in lower case. */
  readonly headers: IncomingHttpHeaders
  readonly httpVersion: string
}
