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
  TerminationCause,
  WebSocket
} from '@oneport/core'
export { attachmentOf, CloseCode, HandshakeError, isWebSocketRequest, renew } from '@oneport/core'
export { OneportAdapter } from './adapter.ts'
export type {
  ClassGuards,
  GatewayOptions,
  MessageParser,
  OneportOptions,
  ParsedMessage,
  RouteOptions
} from './options.ts'
export { Socket, WebSocketRoute, type WebSocketRouteDecorator } from './route.ts'
export { serveTopics } from './serve-topics.ts'
export type { GatewayServer } from './server.ts'
