import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import type { AttachOptions, EndpointOptions, HttpServer, WebSocket } from '@oneport/core'

/** Header fields by name. An array sends the field once per value. */
export type Fields = Readonly<Record<string, string | string[]>>

/** A WebSocket endpoint, registered as a GET route. */
export interface Endpoint {
  /** The path of the route. */
  readonly path: string
  /** Options for the adapter, such as the subprotocols of this endpoint. */
  readonly options: EndpointOptions
  /** Handles the connections of this endpoint. */
  handler(socket: WebSocket): unknown
}

/** An ordinary route for GET and POST. It answers 200 with this text and ignores the request body. */
export interface Page {
  /** The path of the route. */
  readonly path: string
  /** The body of the answer. */
  readonly text: string
}

/** The application of one case. */
export interface Application {
  /** Its WebSocket endpoints. */
  readonly endpoints: readonly Endpoint[]
  /** Its ordinary routes. */
  readonly pages: readonly Page[]
  /** Fields that middleware sets on every response, before routing. */
  readonly fields: Fields
  /**
   * Fields that are set on every response after its route has run, as the response is sent: in Fastify's `onSend`,
   * after `await next()` in Koa, with the package `on-headers` in Express.
   */
  readonly lateFields: Fields
  /**
   * Middleware that runs before every route. It gets Node's own request and response. If it rejects, the framework's
   * error handling answers with `error.status`.
   */
  before(req: IncomingMessage, res: ServerResponse): Promise<void>
  /** Options for the adapter itself. */
  readonly options: Pick<AttachOptions, 'onError' | 'onRefused'>
  /** Whether the server uses TLS. */
  readonly tls: boolean
  /** Whether the server speaks HTTP/2: with TLS next to HTTP/1.1 (`allowHTTP1`), without TLS on its own. */
  readonly http2: boolean
  /** Options for `createServer` of `node:http`, `node:https` or `node:http2`, if the framework calls it. */
  readonly serverOptions: object
  /**
   * Calls `createServer` with `serverOptions`. Listeners treat an HTTP/2 server like an HTTP/1.1 server, so both have
   * the same type.
   */
  createServer(listener?: RequestListener): Server
}

/** A running application. */
export interface Served {
  /** Listens on a port of 127.0.0.1. */
  readonly server: HttpServer
  /** Refuses new handshakes and closes open connections, like `Attachment.drain`. */
  drain(): Promise<unknown>
  /**
   * Shuts the application down as its users would: open connections are closed with 1001. May be called more than once.
   * @default drains, then closes the server
   */
  close?(): Promise<unknown>
}

/** Serves an application with the adapter under test. */
export type Subject = (application: Application) => Promise<Served>
