import type { Attachment, AttachOptions, HttpServer } from '@oneport/core'
import { attach as attachServer } from '@oneport/core/adapter'

/**
 * Lets the server of a Hono application accept WebSocket connections: `attach(serve({ fetch: app.fetch, port: 3000 }))`.
 * Handshakes go through the application as GET requests.
 *
 * @param options defaults for all endpoints, and options of the server
 * @returns the connections of the server
 * @throws TypeError if an option is wrong, or `server` is not a server
 * @throws Error if the server is already attached
 */
export const attach = (server: HttpServer, options?: AttachOptions): Attachment =>
  attachServer(server, undefined, options)
