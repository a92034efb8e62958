import type { WebSocket } from '@oneport/core'
import type { SocketServer as AnySocketServer } from '@oneport/core/ws-compatibility'
import type express from 'express'
import type { WsUpgradeOptions } from '../ws-upgrade.ts'
import type { WsOptions } from './server-options.ts'

/** The supported part of the `WebSocketServer` of `ws`: the sockets of all routes, and events about them. */
export type SocketServer = AnySocketServer<express.Request>

/** An application with the method `ws`. */
export type Application = express.Application & WithWebsocketMethod
/** A router with the method `ws`. */
export type Router = express.Router & WithWebsocketMethod

/** The options of express-ws, and all options of `wsUpgrade()`. */
export interface Options extends WsUpgradeOptions {
  /**
   * Whether to leave the prototype of all routers unchanged. `applyTo(router)` then adds `ws` to one router.
   * @default false
   */
  leaveRouterUntouched?: boolean | undefined
  /** Options of the `WebSocketServer` of `ws`. Options of `wsUpgrade()` take precedence over them. */
  wsOptions?: WsOptions | undefined
}

/** A target of `applyTo`: anything with the method `get` of a router. */
export interface RouterLike {
  /** Adds a route for GET. */
  get(path: string, ...handlers: express.RequestHandler[]): unknown
}

/** The return value of `expressWs()`. */
export interface Instance {
  /** The application, with the method `ws`. */
  app: Application
  /** Adds the method `ws` to one router. */
  applyTo(target: RouterLike): void
  /** The supported part of the `WebSocketServer` that express-ws returns. */
  getWss(): SocketServer
}

/** A handler of a `ws` route. */
export type WebsocketRequestHandler = (ws: WebSocket, req: express.Request, next: express.NextFunction) => unknown
/** Adds an endpoint. */
export type WebsocketMethod<Target> = (route: string, ...handlers: WebsocketRequestHandler[]) => Target

/** The method that `expressWs()` adds to applications and routers. */
export interface WithWebsocketMethod {
  /**
   * Adds an endpoint. The handlers run after the 101, each when the previous one has called `next()`. What they throw,
   * reject with or pass to `next` goes to the error middleware, and the connection is closed with 1011.
   */
  ws: WebsocketMethod<this>
}
