export {
  type Attachment,
  type AttachOptions,
  attach,
  createNodeWebSocket,
  type EndpointOptions,
  type HttpServer,
  type NodeWebSocket,
  type NodeWebSocketInit,
  type SocketServer,
  type UpgradeOptions,
  upgradeWebSocket,
  type WebSocket
} from './index.ts'
