import type { IncomingHttpHeaders } from 'node:http'
import type { Head } from './head.ts'
import { readable } from './show.ts'

/** Maximum length of a body in an error message, in characters. */
const longestBody = 2_000

/** The response to a handshake that was refused. */
export interface Refusal {
  /** Any status but 101; over HTTP/2 any but 200. */
  readonly status: number
  /** Header fields, with lowercase names. */
  readonly headers: IncomingHttpHeaders
  /** The body as text; empty if there is none. */
  readonly body: string
}

/** The error of `connect()` if the handshake is refused. */
export class RefusedError extends Error implements Refusal {
  /** The name of the class, for logs. */
  override readonly name = 'RefusedError'
  /** The status of the response. */
  readonly status: number
  /** Header fields of the response, with lowercase names. */
  readonly headers: IncomingHttpHeaders
  /** The body of the response as text; empty if there is none. */
  readonly body: string

  /** @internal Only `connect()` creates it. */
  constructor(path: string, { status, headers }: Head, body: string) {
    const text = readable(body.trim(), longestBody)
    super(`the handshake of ${path} was refused with ${status}${text === '' ? '' : `: ${text}`}`)
    this.status = status
    this.headers = headers
    this.body = body
  }
}
