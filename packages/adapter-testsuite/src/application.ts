import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import type { AttachOptions, EndpointOptions, HttpServer, WebSocket } from '@oneport/core'

/** Header fields by name; one given as a list is sent that often. */
export type Fields = Readonly<Record<string, string | string[]>>

/** A WebSocket endpoint: a route for GET. */
export interface Endpoint {
  readonly path: string
  /** What the adapter gets for this endpoint, such as its subprotocols. */
  readonly options: EndpointOptions
  /** The handler of its connections. */
  handler(socket: WebSocket): unknown
}

/** An ordinary route for GET and POST. It answers 200 with this text, and takes no notice of a body. */
export interface Page {
  readonly path: string
  readonly text: string
}

/** What the application of one case consists of. */
export interface Application {
  readonly endpoints: readonly Endpoint[]
  readonly pages: readonly Page[]
  /** What middleware sets on every response, before a route is looked for. */
  readonly fields: Fields
  /**
   * What is set on every response while it is sent, after its route has run: in Fastify's `onSend`, behind `await next()`
   * in Koa, with the package `on-headers` in Express.
   */
  readonly lateFields: Fields
  /**
   * Middleware in front of all routes; it gets the request and the response as Node has them. What it rejects with goes
   * to the framework's error handling, which answers with `error.status`.
   */
  before(req: IncomingMessage, res: ServerResponse): Promise<void>
  /** For the adapter. */
  readonly options: Pick<AttachOptions, 'onError' | 'onRefused'>
  /** Whether the server speaks TLS. */
  readonly tls: boolean
  /** Whether the server speaks HTTP/2: over TLS beside HTTP/1.1 (`allowHTTP1`), without TLS alone. */
  readonly http2: boolean
  /** For the `createServer` of `node:http`, `node:https` or `node:http2`, where the framework calls it. */
  readonly serverOptions: object
  /** Calls it. To its listeners, a server of HTTP/2 is as one of HTTP/1.1, so it has the same type. */
  createServer(listener?: RequestListener): Server
}

/** An application that is served. */
export interface Served {
  /** It listens on a port of 127.0.0.1. */
  readonly server: HttpServer
  /** Refuses new handshakes and closes the open connections, as `Attachment.drain`. */
  drain(): Promise<unknown>
  /**
   * Ends everything as its users would: open connections get 1001. It may be called again.
   * @default drains, and closes the server
   */
  close?(): Promise<unknown>
}

/** Serves an application with the adapter under test. */
export type Subject = (application: Application) => Promise<Served>
