export type {
  AllowedOrigins,
  Attachment,
  DrainOptions,
  DrainResult,
  EndpointOptions,
  FaultContext,
  FaultPhase,
  HandshakeErrorCode,
  HttpServer,
  WebSocket,
  WebSocketHandler
} from '@oneport/core'
export { CloseCode, HandshakeError } from '@oneport/core'
export { acceptWebSocket, checkHandshake } from './accept.ts'
export type { WsUpgrade, WsUpgradeOptions } from './ws-upgrade.ts'
export { wsUpgrade } from './ws-upgrade.ts'
