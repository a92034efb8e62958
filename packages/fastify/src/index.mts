export {
  type AllowedOrigins,
  type Attachment,
  CloseCode,
  type DrainOptions,
  type DrainResult,
  type EndpointOptions,
  type FaultContext,
  type FaultPhase,
  HandshakeError,
  type HandshakeErrorCode,
  type WebSocket,
  type WebSocketRouteHandler,
  type WsPluginOptions,
  wsPlugin
} from './index.ts'
