import type { WebSocket } from '@oneport/core'
import type { SocketServer as AnySocketServer } from '@oneport/core/ws-compatibility'
import type express from 'express'
import type { WsUpgradeOptions } from '../ws-upgrade.ts'
import type { WsOptions } from './server-options.ts'

/** What is left of the `WebSocketServer` of `ws`: the sockets of all routes, and what it tells of them. */
export type SocketServer = AnySocketServer<express.Request>

/** An application with the method `ws`. */
export type Application = express.Application & WithWebsocketMethod
/** A router with the method `ws`. */
export type Router = express.Router & WithWebsocketMethod

/** Those of express-ws, and beside them every option of `wsUpgrade()`. */
export interface Options extends WsUpgradeOptions {
  /**
   * Leaves the prototype of all routers as it is; then `applyTo(router)` gives one router its `ws`.
   * @default false
   */
  leaveRouterUntouched?: boolean | undefined
  /** Options of the `WebSocketServer` of `ws`. The same options of `wsUpgrade()` come before them. */
  wsOptions?: WsOptions | undefined
}

/** What `applyTo` takes: anything with the method `get` of a router. */
export interface RouterLike {
  /** Adds a route for GET. */
  get(path: string, ...handlers: express.RequestHandler[]): unknown
}

/** What `expressWs()` returns. */
export interface Instance {
  /** The application, which has the method `ws` now. */
  app: Application
  /** Gives one router its `ws`. */
  applyTo(target: RouterLike): void
  /** What is left of the `WebSocketServer` that express-ws returns here. */
  getWss(): SocketServer
}

/** A handler of a `ws` route. */
export type WebsocketRequestHandler = (ws: WebSocket, req: express.Request, next: express.NextFunction) => unknown
/** Adds an endpoint. */
export type WebsocketMethod<Target> = (route: string, ...handlers: WebsocketRequestHandler[]) => Target

/** What `expressWs()` adds to applications and routers. */
export interface WithWebsocketMethod {
  /**
   * Adds an endpoint. The handlers run behind the 101, each when the one in front of it has called `next()`; what
   * they throw, reject with or pass to `next` goes to the error middleware, and the connection is closed with 1011.
   */
  ws: WebsocketMethod<this>
}
