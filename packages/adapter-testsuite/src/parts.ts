export { type Certificate, certificate } from './parts/certificate.ts'
export { closeCodeIn, maskedText, serverText } from './parts/frames.ts'
export { hostileValues } from './parts/hostile-values.ts'
export {
  beginConnect,
  bodyOf,
  type Http2Answer,
  openSession,
  resetSession,
  sendConnect,
  webSocketOn
} from './parts/http2-client.ts'
export { handshake, headArrived, openRaw, type RawResponse, reset, sendRaw, type Target } from './parts/raw-client.ts'
export { accepted, closed, connectClient, type Inbox, refused } from './parts/ws-client.ts'
