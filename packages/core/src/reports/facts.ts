import type { IncomingMessage } from 'node:http'

/** Facts about the request of the handshake. The request itself is not kept. */
export interface RequestFacts {
  /** The framework's ID of the request; undefined if it has none. */
  readonly id: string | undefined
  /** The path of the URL, without the query, which may contain a token. */
  readonly path: string
  /** The address of the TCP peer; behind a proxy, that of the proxy. Undefined when the connection is closed. */
  readonly address: string | undefined
}

/** Summary of a connection that has closed. */
export interface ConnectionSummary {
  /** The close code; 1006 if there was no close frame. RFC 6455 §7.1.5. */
  readonly code: number
  /** Who closed the connection: this server or the client. `network` if the connection was lost. */
  readonly initiator: 'server' | 'client' | 'network'
  /** Time from the 101 to the end, in milliseconds. */
  readonly durationMs: number
  /** Bytes received on the TCP connection, including the handshake. */
  readonly bytesIn: number
  /** Bytes sent on the TCP connection. */
  readonly bytesOut: number
  /** The request of the handshake. */
  readonly request: RequestFacts
}

/** The path of a URL. */
export function pathOf(url: string): string {
  const end = url.indexOf('?')
  return end === -1 ? url : url.slice(0, end)
}

/** The facts of a request. */
export const factsOf = ({ url = '', socket }: IncomingMessage): RequestFacts => ({
  id: undefined,
  path: pathOf(url),
  address: socket.remoteAddress
})
