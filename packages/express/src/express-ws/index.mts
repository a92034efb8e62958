import { expressWs } from './express-ws.ts'

export default expressWs
/** An application with the method `ws`. */
export type Application = expressWs.Application
/** What `expressWs()` returns. */
export type Instance = expressWs.Instance
/** Options of `expressWs()`. */
export type Options = expressWs.Options
/** A router with the method `ws`. */
export type Router = expressWs.Router
/** What `applyTo` takes. */
export type RouterLike = expressWs.RouterLike
/** What `getWss()` returns. */
export type SocketServer = expressWs.SocketServer
/** The method `ws`. */
export type WebsocketMethod<Target> = expressWs.WebsocketMethod<Target>
/** A handler of a `ws` route. */
export type WebsocketRequestHandler = expressWs.WebsocketRequestHandler
/** What `expressWs()` adds to applications and routers. */
export type WithWebsocketMethod = expressWs.WithWebsocketMethod
