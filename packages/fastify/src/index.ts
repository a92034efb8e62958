export type {
  AcceptOptions,
  AllowedOrigins,
  Attachment,
  ConnectionSummary,
  Credential,
  DrainOptions,
  DrainResult,
  EndpointOptions,
  FaultContext,
  FaultPhase,
  HandshakeErrorCode,
  RequestFacts,
  WebSocket
} from '@oneport/core'
export { CloseCode, HandshakeError, renew } from '@oneport/core'
export type { WsPluginOptions } from './plugin.ts'
export { wsPlugin } from './plugin.ts'
export type { WebSocketRouteHandler } from './types.ts'
