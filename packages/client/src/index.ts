export type {
  ConnectionCloseEvent,
  ConnectionError,
  ConnectionErrorEvent,
  ConnectionState,
  EventHandler,
  Listener,
  ListenerObject,
  ListenerOptions,
  ReconnectingWebSocketEventMap,
  StateChangeEvent
} from './events.ts'
export type {
  Asked,
  Attempt,
  HeartbeatOptions,
  QueueOptions,
  ReconnectingWebSocketOptions,
  SocketData,
  WebSocketClass
} from './options.ts'
export { ReconnectingWebSocket } from './reconnecting-websocket.ts'
export { TopicsClientError, type TopicsErrorCode } from './topics/errors.ts'
export type { Gap, Position } from './topics/feed.ts'
export type { PlaceStorage } from './topics/places.ts'
export type { Member } from './topics/presence.ts'
export {
  connectTopics,
  type SubscribeOptions,
  type Topics,
  type TopicsOptions,
  type TopicsState
} from './topics/topics.ts'
export type { Transport } from './topics/ways.ts'
