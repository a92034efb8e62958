import type { IncomingMessage, RequestListener } from 'node:http'
import type { Server } from 'node:net'

/** The endpoint of every contender: it allows one origin, agrees on one subprotocol and echoes messages. */
export const path = '/echo'
export const origin = 'https://app.example'
export const subprotocol = 'echo.v1'

/** Every contender's answer to an ordinary GET, for the HTTP tax. */
export const plainPath = '/plain'
export const plainText = 'plain'

/** What a suite may change about a contender's defaults. */
export interface Settings {
  /** Milliseconds between pings. If left out, the contender uses its own default. */
  readonly heartbeat?: number | 'off'
  /** Whether messages are compressed, each on its own and however small. */
  readonly deflate?: boolean
  /** Characters of a broadcast message, 256 if left out. */
  readonly size?: number
  /** A Redis server, for contenders with a shared store. */
  readonly redisUrl?: string
  /** The port to listen on. If left out, the system chooses one. */
  readonly port?: number
}

/** For contenders that compress. */
export const perMessageDeflate = { serverNoContextTakeover: true, threshold: 0 }
/** For those that have short answers to send, which the generator reads. */
export const largeMessageDeflate = { serverNoContextTakeover: true, threshold: 1_024 }

/** The exports of a contender's file. */
export interface Endpoint {
  start(settings: Settings): Promise<Server>
  /** Shuts the server down as an application would. Only servers that are restarted have it. */
  stop?(): Promise<void>
}

export const isAllowed = (req: IncomingMessage): boolean => req.headers.origin === origin

/** In the form that `ws` expects: version 8 passes a set, version 7 a list. */
export const chooseSubprotocol = (offered: Set<string> | readonly string[]): string | false =>
  [...offered].includes(subprotocol) && subprotocol

/** Answers the ordinary requests of contenders without a framework. */
export const answerPlain: RequestListener = (req, res) => {
  if (req.url === plainPath) res.end(plainText)
  else res.writeHead(404).end()
}

/** The same for all. The backlog fits a storm of clients: if it is full, the kernel makes them wait for a second. */
export const listening = { port: 0, host: '127.0.0.1', backlog: 4096 }

/** Resolves when the server listens. */
export function listen<Listening extends Server>(server: Listening, port = listening.port): Promise<Listening> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ ...listening, port }, () => resolve(server))
  })
}
