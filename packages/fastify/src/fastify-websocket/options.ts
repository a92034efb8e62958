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

/** Takes what a connection's handler throws, and the errors of its socket, in place of `onError`. */
export type ErrorHandler = (
  this: FastifyInstance,
  error: Error,
  socket: WebSocket,
  request: FastifyRequest,
  reply: FastifyReply
) => unknown

/** Those of `@fastify/websocket`, and beside them every option of `wsPlugin`. */
export interface WebsocketPluginOptions extends WsPluginOptions {
  /**
   * Takes what a connection's handler throws or rejects with, and the errors of its socket. It ends the connection
   * itself, if it wants that. `this` is the Fastify instance of the route. Request and reply are kept for as long as the
   * connection is open.
   * @default logs the error, and terminates the connection
   */
  errorHandler?: ErrorHandler | undefined
  /**
   * Options of `ws` under its own names; those that make no sense here throw.
   * @default none
   */
  options?: WebSocketServerOptions | undefined
  /**
   * Called first when the app closes, to close the connections in your own way; `drain` sees to those that it
   * leaves open. `this` is the Fastify instance.
   * @default closes them without a code
   */
  preClose?: preCloseHookHandler | preCloseAsyncHookHandler | undefined
  /**
   * Ignored, as `@fastify/websocket` ignores it.
   * @default none
   */
  handle?: unknown
}

/** @throws TypeError for a wrong option of those that `wsPlugin` has not */
export function checkOptions({ errorHandler, options, preClose }: WebsocketPluginOptions): void {
  for (const [name, value] of Object.entries({ preClose, errorHandler })) {
    if (value === undefined || typeof value === 'function') continue
    throw new TypeError(`fastifyWebsocket: ${name}: expected a function; got ${show(value)}`)
  }
  if (options === undefined || (typeof options === 'object' && options !== null)) return
  throw new TypeError(`fastifyWebsocket: options: expected an object with options of ws; got ${show(options)}`)
}
