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
export type { RouteOptions } from 'fastify'
export { type WsPlugin, wsPlugin, wsPlugin as default, wsPlugin as fastifyWebsocket } from './plugin.ts'
export type { WsPluginOptions, WsPluginOptions as WebsocketPluginOptions } from './plugin-options.ts'
export type { WebSocketRouteHandler, WebSocketRouteHandler as WebsocketHandler } from './types.ts'
export type { WebsocketServer } from './websocket-server.ts'
