import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Http2SecureServer, Http2Server, Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { Server as HttpsServer } from 'node:https'
import type { WebSocket } from 'ws'
import { show } from './errors.ts'
import { attachedServers } from './handshake.ts'
import { ClosingWatch } from './life/closing-watch.ts'
import { Connections } from './life/connections.ts'
import { checkReason, type DrainOptions, type DrainResult, drain, resolveDrainOptions } from './life/drain.ts'
import { type AttachOptions, resolveOptions } from './options/server.ts'
import { type AttachmentStats, publishFault } from './reports/stats.ts'
import { checkApplicationCode, unauthorizedCode } from './rules/credential.ts'
import { listenHttp1 } from './transport/http1.ts'
import { isHttp2, listenHttp2 } from './transport/http2.ts'

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

/** The attachments of each server by what they dispatch to, in the order in which they are asked. */
const attachments = new WeakMap<HttpServer, Map<Dispatch, Attachment>>()

/** The attachment of a server, the first one where it has several; undefined where it has none. */
export const attachmentOf = (server: HttpServer): Attachment | undefined =>
  attachments.get(server)?.values().next().value

/**
 * Lets a server take WebSocket connections: each opening handshake goes through `dispatch` as the GET request that it
 * is, and becomes a WebSocket where the application calls `acceptWebSocket`.
 *
 * @param dispatch the application: the same function that answers the server's ordinary requests
 * @throws TypeError for wrong options
 * @throws Error where the server is attached to this application already. To another one it may be: that gets the
 *   handshakes which the first one answers 404. On a server of `node:http2`, where it is attached to any listener.
 */
export function attach(server: Server | HttpsServer, dispatch: Dispatch, options?: AttachOptions): Attachment
export function attach(
  server: Http2Server | Http2SecureServer,
  dispatch: Http2Dispatch,
  options?: AttachOptions
): Attachment
export function attach(server: HttpServer, dispatch: Dispatch, options?: AttachOptions): Attachment
export function attach(
  anyServer: HttpServer,
  anyDispatch: Dispatch | Http2Dispatch,
  options: AttachOptions = {}
): Attachment {
  if (typeof (anyServer as Partial<HttpServer> | undefined)?.on !== 'function') {
    throw new TypeError(`attach: expected a server of node:http, node:https or node:http2; got ${show(anyServer)}`)
  }
  const [server, dispatch] = [anyServer as Server, anyDispatch as Dispatch]
  if (typeof dispatch !== 'function') {
    throw new TypeError(`attach: expected a listener (req, res) => …; got ${show(dispatch)}`)
  }
  const resolved = resolveOptions(options, publishFault)
  const ofServer = attachments.get(server) ?? new Map<Dispatch, Attachment>()
  if (ofServer.has(dispatch)) {
    throw new Error('attach: this server is attached to this listener already; call detach() of that attachment first')
  }
  if (ofServer.size > 0 && isHttp2(anyServer)) {
    throw new Error(
      'attach: a server of node:http2 can be attached to one listener; it has one already. Dispatch to both applications ' +
        'from one listener, or call detach() of that attachment first'
    )
  }
  let draining: Promise<DrainResult> | undefined
  // A server that was closed may listen again, and takes handshakes then.
  const reopen = (): void => {
    draining = undefined
    connections.stopDraining()
  }
  const watch = new ClosingWatch(server, () => void attachment.drain())
  const connections = new Connections(resolved, watch)
  const receiver = { dispatch, options: resolved, connections }
  const stopListening = [
    listenHttp1(server, receiver),
    ...(isHttp2(anyServer) ? [listenHttp2(anyServer, receiver)] : [])
  ]

  const attachment: Attachment = {
    connections: connections.open,
    connectionsOf: (key) => connections.withKey(key),
    revoke: (key, code = unauthorizedCode, reason = 'credential revoked') => {
      checkApplicationCode('code', code)
      checkReason(reason)
      return connections.revoke(key, code, reason)
    },
    drain: async (drainOptions) => {
      if (draining === undefined) {
        draining = drain(connections, resolveDrainOptions(drainOptions))
        server.once('close', reopen)
      }
      return draining
    },
    stats: () =>
      connections.stats.read({
        open: connections.open.size,
        pending: connections.pending.size,
        draining: connections.draining
      }),
    detach: () => {
      if (ofServer.get(dispatch) !== attachment) return
      ofServer.delete(dispatch)
      if (ofServer.size === 0) attachedServers.delete(server)
      server.off('close', reopen)
      for (const stop of stopListening) stop()
    }
  }
  ofServer.set(dispatch, attachment)
  attachments.set(server, ofServer)
  attachedServers.add(server)
  return attachment
}
