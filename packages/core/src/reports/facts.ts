import type { IncomingMessage } from 'node:http'

/** What is known of the request that a connection began with; the request itself is not kept. */
export interface RequestFacts {
  /** The framework's id of the request; undefined where it has none. */
  readonly id: string | undefined
  /** The path of the URL; never the query, which may hold a token. */
  readonly path: string
  /** Address of the TCP peer: behind a proxy, that of the proxy. Undefined once the connection is gone. */
  readonly address: string | undefined
}

/** How a connection went. */
export interface ConnectionSummary {
  /** Close code; 1006 where there was no close frame. RFC 6455 §7.1.5. */
  readonly code: number
  /** Who began to close: this server, the client, or nobody, where the connection was lost. */
  readonly initiator: 'server' | 'client' | 'network'
  /** Time from the 101 to the end, in milliseconds. */
  readonly durationMs: number
  /** Bytes received on the TCP connection, handshake included. */
  readonly bytesIn: number
  /** Bytes sent on it. */
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
