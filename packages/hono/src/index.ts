export type {
  AcceptOptions,
  AllowedHosts,
  AllowedOrigins,
  Attachment,
  AttachmentStats,
  AttachOptions,
  CheckedHandshake,
  ConnectionSummary,
  Credential,
  DrainOptions,
  DrainResult,
  EffectiveRequest,
  EndpointOptions,
  FaultContext,
  FaultPhase,
  HandshakeErrorCode,
  HttpServer,
  RawData,
  RequestFacts,
  ServiceResponse,
  SocketService,
  TerminationCause,
  WebSocket
} from '@oneport/core'
export { CloseCode, HandshakeError, renew } from '@oneport/core'
export { acceptWebSocket, type SocketHandler, type SwitchingResponse } from './accept.ts'
export { attach } from './attach.ts'
export { checkHandshake } from './check.ts'
export { isWebSocketRequest } from './exchange.ts'
export { serveTopics } from './serve-topics.ts'
export { type WebSocketHandler, type WebSocketRoute, webSocket } from './web-socket.ts'
