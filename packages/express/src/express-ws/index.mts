import { expressWs } from './express-ws.ts'

export default expressWs
export type Application = expressWs.Application
export type Instance = expressWs.Instance
export type Options = expressWs.Options
export type Router = expressWs.Router
export type RouterLike = expressWs.RouterLike
export type SocketServer = expressWs.SocketServer
export type WebsocketMethod<Target> = expressWs.WebsocketMethod<Target>
export type WebsocketRequestHandler = expressWs.WebsocketRequestHandler
export type WithWebsocketMethod = expressWs.WithWebsocketMethod
