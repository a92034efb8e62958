export {
  type Client,
  type Closed,
  type ConnectOptions,
  type CookieJar,
  connect,
  expectRefused,
  type FastifyLike,
  type Head,
  type HttpServer,
  type KoaLike,
  type Listener,
  type Message,
  type Refusal,
  RefusedError,
  type Target
} from './index.ts'
