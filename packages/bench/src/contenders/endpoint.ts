import type { IncomingMessage, RequestListener } from 'node:http'
import type { Server } from 'node:net'

/** The endpoint that every contender serves: one origin may connect, one subprotocol is agreed on, messages come back. */
export const path = '/echo'
export const origin = 'https://app.example'
export const subprotocol = 'echo.v1'

/** What every contender answers to an ordinary GET, for the HTTP tax. */
export const plainPath = '/plain'
export const plainText = 'plain'

/** What a suite may ask of a contender beside its defaults. */
export interface Settings {
  /** Milliseconds between pings. Left out, a contender does what it does by itself. */
  readonly heartbeat?: number | 'off'
  /** Whether messages are compressed, each by itself and however small. */
  readonly deflate?: boolean
}

/** For contenders that compress. */
export const perMessageDeflate = { serverNoContextTakeover: true, threshold: 0 }

/** What each file of a contender exports. */
export type Start = (settings: Settings) => Promise<Server>

export const isAllowed = (req: IncomingMessage): boolean => req.headers.origin === origin

/** As `ws` asks for it: version 8 gives a set, version 7 a list. */
export const chooseSubprotocol = (offered: Set<string> | readonly string[]): string | false =>
  [...offered].includes(subprotocol) && subprotocol

/** The ordinary requests of a contender without a framework. */
export const answerPlain: RequestListener = (req, res) => {
  if (req.url === plainPath) res.end(plainText)
  else res.writeHead(404).end()
}

/** The same for all. The backlog holds a storm of clients: where it is full, the kernel makes them wait for a second. */
export const listening = { port: 0, host: '127.0.0.1', backlog: 4096 }

/** Resolves once the server listens. */
export function listen<Listening extends Server>(server: Listening): Promise<Listening> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(listening, () => resolve(server))
  })
}
