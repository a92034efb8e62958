export {
  AdaptedSocketServer,
  askVerifyClient,
  type ClientRefusal,
  type SocketServer,
  type SocketServerEvents,
  type SocketServerOptions,
  type Translation,
  translateServerOptions,
  type VerifyClient,
  type VerifyClientCallback,
  type VerifyClientInfo,
  type WebSocketServerOptions
} from './ws-compatibility.ts'
