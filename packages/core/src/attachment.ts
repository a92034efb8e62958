import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Http2SecureServer, Http2Server, Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { Server as HttpsServer } from 'node:https'
import type { DrainOptions, DrainResult } from './life/drain.ts'
import type { AttachmentStats } from './reports/stats.ts'
import type { WebSocket } from './websocket.ts'

/** A server of `node:http`, `node:https` or `node:http2`. */
export type HttpServer = Server | HttpsServer | Http2Server | Http2SecureServer

/** Handles a request, like a `request` listener of the server. */
export type Dispatch = (req: IncomingMessage, res: ServerResponse) => unknown

/** Handles a request of a `node:http2` server, which may get HTTP/1.1 requests too (`allowHTTP1`). */
export type Http2Dispatch = (req: Http2ServerRequest, res: Http2ServerResponse) => unknown

/** The WebSocket connections of a server. */
export interface Attachment {
  /** The open sockets. */
  readonly connections: ReadonlySet<WebSocket>
  /**
   * The open sockets of one user or session: those that were accepted with this `key`.
   * @throws TypeError if the key is not a non-empty string
   */
  connectionsOf(key: string): ReadonlySet<WebSocket>
  /**
   * Closes all connections that were accepted with this `key`. Their messages are no longer delivered.
   * @param code the close code, 3000 to 4999; 4401 by default
   * @param reason the close reason, at most 123 bytes of UTF-8; `credential revoked` by default
   * @returns the number of connections
   * @throws TypeError if the key, the code or the reason is wrong
   */
  revoke(key: string, code?: number, reason?: string): number
  /**
   * Answers new handshakes with 503, closes the open connections, and terminates those that are still open at the
   * deadline. Resolves when all have closed. `server.close()` does the same with the defaults; to set options, call
   * this at the same time. A second call returns the result of the first.
   * @throws TypeError if an option is wrong
   */
  drain(options?: DrainOptions): Promise<DrainResult>
  /** Counters since the server was attached, for a metrics endpoint. */
  stats(): AttachmentStats
  /** Stops listening for handshakes. Open connections stay open. Calling it again does nothing. */
  detach(): void
}
