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
  WebSocket,
  type WebSocketServerOptions
} from './ws-compatibility.ts'
