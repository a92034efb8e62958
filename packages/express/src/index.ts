export type {
  AcceptOptions,
  AllowedHosts,
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
  HttpServer,
  RequestFacts,
  WebSocket,
  WebSocketHandler
} from '@oneport/core'
export { CloseCode, HandshakeError, renew } from '@oneport/core'
export { acceptWebSocket, checkHandshake } from './accept.ts'
export type { WsUpgrade, WsUpgradeOptions } from './ws-upgrade.ts'
export { wsUpgrade } from './ws-upgrade.ts'
