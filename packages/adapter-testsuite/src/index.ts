export { loopback, testOnBoth } from './addresses.ts'
export type { Browser } from './browser.ts'
export { type BrowserContract, describeBrowsers, type ServedToBrowsers } from './browser-contract.ts'
export { type Certificate, certificate } from './certificate.ts'
export { chromium, startChromium } from './chromium.ts'
export { type ContractRoute, fields } from './contract/application.ts'
export type { Contract, RunningAdapter } from './contract/subject.ts'
export { describeAdapter } from './contract.ts'
export { takePrinted } from './fail-on-console.ts'
export { firefox, openFirefox } from './firefox.ts'
export { hostileValues } from './hostile-values.ts'
export {
  beginConnect,
  bodyOf,
  type Http2Answer,
  openSession,
  resetSession,
  sendConnect,
  webSocketOn
} from './http2-client.ts'
export { freePort } from './port.ts'
export { describeWith, type Program } from './program.ts'
export { handshake, headArrived, openRaw, type RawResponse, reset, sendRaw, type Target } from './raw-client.ts'
export { RedisServer, redisProgram, startRedisCluster } from './redis-server.ts'
export { describeSigterm } from './sigterm.ts'
export { accepted, closed, connectClient, type Inbox, refused } from './ws-client.ts'
