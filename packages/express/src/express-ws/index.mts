import { expressWs } from './express-ws.ts'

export default expressWs
/** An application with the method `ws`. */
export type Application = expressWs.Application
/** The return value of `expressWs()`. */
export type Instance = expressWs.Instance
/** Options of `expressWs()`. */
export type Options = expressWs.Options
/** A router with the method `ws`. */
export type Router = expressWs.Router
/** A target of `applyTo`: anything with the method `get` of a router. */
export type RouterLike = expressWs.RouterLike
/** The return value of `getWss()`: the supported part of the `WebSocketServer` of `ws`. */
export type SocketServer = expressWs.SocketServer
/** The method `ws`. */
export type WebsocketMethod<Target> = expressWs.WebsocketMethod<Target>
/** A handler of a `ws` route. */
export type WebsocketRequestHandler = expressWs.WebsocketRequestHandler
/** The method that `expressWs()` adds to applications and routers. */
export type WithWebsocketMethod = expressWs.WithWebsocketMethod
