export type {
  AllowedOrigins,
  Attachment,
  DrainOptions,
  DrainResult,
  EndpointOptions,
  FaultContext,
  FaultPhase,
  HandshakeErrorCode,
  WebSocket
} from '@oneport/core'
export { CloseCode, HandshakeError } from '@oneport/core'
export type { WsPluginOptions } from './plugin.ts'
export { wsPlugin } from './plugin.ts'
export type { WebSocketRouteHandler } from './types.ts'
