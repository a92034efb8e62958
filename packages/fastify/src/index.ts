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
  RawData,
  RequestFacts,
  ServiceResponse,
  SocketService,
  TerminationCause,
  WebSocket
} from '@oneport/core'
export { CloseCode, HandshakeError, isWebSocketRequest, renew } from '@oneport/core'
export { type WsPlugin, wsPlugin, wsPlugin as default } from './plugin.ts'
export type { WsPluginOptions } from './plugin-options.ts'
export { serveTopics } from './serve-topics.ts'
export type { WebSocketRouteHandler } from './types.ts'
