/**
 * The subpath for adapters that replace a plugin built on the `WebSocketServer` of `ws`. It translates the server's
 * options, calls `verifyClient`, and has what applications use of the server and of the client class. Applications
 * import an adapter instead.
 */
export { WebSocket } from './life/ws.ts'
export {
  type Translation,
  translateServerOptions,
  type WebSocketServerOptions
} from './ws-compatibility/server-options.ts'
export {
  AdaptedSocketServer,
  type SocketServer,
  type SocketServerEvents,
  type SocketServerOptions
} from './ws-compatibility/socket-server.ts'
export {
  askVerifyClient,
  type ClientRefusal,
  type VerifyClient,
  type VerifyClientCallback,
  type VerifyClientInfo
} from './ws-compatibility/verify-client.ts'
