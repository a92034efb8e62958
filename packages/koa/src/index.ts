export type {
  AcceptOptions,
  AllowedHosts,
  AllowedOrigins,
  Attachment,
  AttachmentStats,
  ConnectionSummary,
  Credential,
  DrainOptions,
  DrainResult,
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
export { CloseCode, HandshakeError, isWebSocketRequest, renew } from '@oneport/core'
export type { WebSocketHandler } from './accept.ts'
export { serveTopics } from './serve-topics.ts'
export type { WsUpgrade, WsUpgradeOptions } from './ws-upgrade.ts'
export { wsUpgrade } from './ws-upgrade.ts'
