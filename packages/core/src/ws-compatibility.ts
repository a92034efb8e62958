/**
 * What adapters import that take the place of a plugin built on the `WebSocketServer` of `ws`: its options in terms of an
 * endpoint, its `verifyClient`, what applications use of the server itself, and the class of a client. Applications import the
 * adapters.
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
