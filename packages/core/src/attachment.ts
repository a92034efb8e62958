import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Http2SecureServer, Http2Server, Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { Server as HttpsServer } from 'node:https'
import type { DrainOptions, DrainResult } from './life/drain.ts'
import type { AttachmentStats } from './reports/stats.ts'
import type { WebSocket } from './websocket.ts'

/** A server of `node:http`, `node:https` or `node:http2`. */
export type HttpServer = Server | HttpsServer | Http2Server | Http2SecureServer

/** Takes a request through the application, as the server's own `request` listener does. */
export type Dispatch = (req: IncomingMessage, res: ServerResponse) => unknown

/** The same on a server of `node:http2`, which may have requests of HTTP/1.1 too (`allowHTTP1`). */
export type Http2Dispatch = (req: Http2ServerRequest, res: Http2ServerResponse) => unknown

/** One server's WebSockets. */
export interface Attachment {
  /** The open sockets. */
  readonly connections: ReadonlySet<WebSocket>
  /** The open sockets of one user or session: those that were accepted with this `key`. */
  connectionsOf(key: string): ReadonlySet<WebSocket>
  /**
   * Closes the connections that were accepted with this `key`; no further message of theirs is delivered.
   * @param code close code, 3000 to 4999; 4401 where it is left out
   * @param reason close reason, at most 123 bytes of UTF-8
   * @returns how many there were
   * @throws TypeError for a wrong code or reason
   */
  revoke(key: string, code?: number, reason?: string): number
  /**
   * Answers new handshakes with 503, closes the open connections, and terminates those that are left at the deadline.
   * A second call waits for the first. `server.close()` drains by itself with the defaults; call this at the same time
   * for other ones.
   * @throws TypeError for wrong options
   */
  drain(options?: DrainOptions): Promise<DrainResult>
  /** What has happened since the server was attached, for a metrics endpoint. */
  stats(): AttachmentStats
  /** Stops listening for handshakes. Open connections go on. Calling it again does nothing. */
  detach(): void
}
