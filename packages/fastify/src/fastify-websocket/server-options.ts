import type { AttachOptions, HttpServer } from '@oneport/core'
import { translateServerOptions, type WebSocketServerOptions as WsServerOptions } from '@oneport/core/ws-compatibility'
import type { FastifyInstance } from 'fastify'
import { warn } from './warn.ts'

/** Options of the `WebSocketServer` of `ws` 8. Options that are not listed here are passed to `ws` unchanged. */
export interface WebSocketServerOptions extends WsServerOptions<Set<string>> {
  /**
   * The server that handshakes arrive at, in place of `app.server`.
   * @default `app.server`
   */
  server?: HttpServer | null | undefined
  /** Has no effect, like in `@fastify/websocket`. */
  host?: string | undefined
  /** Has no effect, like in `@fastify/websocket`. */
  backlog?: number | undefined
}

/** Options that cannot be set here, and what to do instead. */
const instead = new Map(
  Object.entries({
    noServer: 'the plugin serves app.server; for a separate WebSocket server, use ws or attach() of @oneport/core',
    path: "use a route, such as app.get('/path', { websocket: true }, handler)",
    port: 'use app.listen({ port })',
    WebSocket: 'use listeners on the socket that the handler gets'
  })
)

const withoutEffect = ['host', 'backlog'] as const

/**
 * Adds options of `ws` to the plugin's own options.
 * @throws TypeError for an option of `ws` that cannot be set here, and for one that is set in both
 */
export function withServerOptions(
  app: FastifyInstance,
  own: AttachOptions,
  options: WebSocketServerOptions
): AttachOptions {
  const translated = translateServerOptions(options, {
    name: 'fastifyWebsocket: options',
    instead,
    asOffered: (names) => new Set(names)
  })
  for (const name of withoutEffect) {
    if (options[name] !== undefined) warn(app, `options.${name} has no effect; use app.listen({ ${name} })`)
  }
  const given = Object.entries(translated).filter(([, value]) => value !== undefined)
  for (const [name] of given) {
    if (own[name as keyof AttachOptions] === undefined) continue
    throw new TypeError(`fastifyWebsocket: ${name}: also set by an option of ws in options; remove one of them`)
  }
  return { ...own, ...Object.fromEntries(given) }
}
