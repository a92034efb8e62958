import type { WebSocket } from '@oneport/core'
import { show } from '@oneport/core/adapter'
import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  preCloseAsyncHookHandler,
  preCloseHookHandler
} from 'fastify'
import type { WsPluginOptions } from '../plugin-options.ts'
import type { WebSocketServerOptions } from './server-options.ts'

/** Called with errors of a connection's handler and of its socket, in place of `onError`. */
export type ErrorHandler = (
  this: FastifyInstance,
  error: Error,
  socket: WebSocket,
  request: FastifyRequest,
  reply: FastifyReply
) => unknown

/** The options of `@fastify/websocket`, and all options of `wsPlugin`. */
export interface WebsocketPluginOptions extends WsPluginOptions {
  /**
   * Called with what a connection's handler throws or rejects with, and with the errors of its socket. It must close
   * the connection itself, if necessary. `this` is the Fastify instance of the route. The request and the reply stay in
   * memory as long as the connection is open.
   * @default logs the error, and terminates the connection
   */
  errorHandler?: ErrorHandler | undefined
  /**
   * Options of the `WebSocketServer` of `ws`. Options that have no meaning here throw a TypeError.
   * @default none
   */
  options?: WebSocketServerOptions | undefined
  /**
   * Called first when the application closes, to close the connections in your own way. `drain` closes those that are
   * still open after it. `this` is the Fastify instance.
   * @default closes them without a code
   */
  preClose?: preCloseHookHandler | preCloseAsyncHookHandler | undefined
  /**
   * Ignored, like in `@fastify/websocket`.
   * @default none
   */
  handle?: unknown
}

/** @throws TypeError for an invalid option, among those that `wsPlugin` does not have */
export function checkOptions({ errorHandler, options, preClose }: WebsocketPluginOptions): void {
  for (const [name, value] of Object.entries({ preClose, errorHandler })) {
    if (value === undefined || typeof value === 'function') continue
    throw new TypeError(`fastifyWebsocket: ${name}: expected a function; got ${show(value)}`)
  }
  if (options === undefined || (typeof options === 'object' && options !== null)) return
  throw new TypeError(`fastifyWebsocket: options: expected an object with options of ws; got ${show(options)}`)
}
