import type { AttachOptions, HttpServer } from '@oneport/core'
import { translateServerOptions, type WebSocketServerOptions as WsServerOptions } from '@oneport/core/ws-compatibility'
import type { FastifyInstance } from 'fastify'
import { warn } from './warn.ts'

/** Options of `ws` 8 as `@fastify/websocket` takes them. Those that are not named here go to `ws` as they are. */
export interface WebSocketServerOptions extends WsServerOptions<Set<string>> {
  /**
   * Takes the handshakes, in place of `app.server`.
   * @default `app.server`
   */
  server?: HttpServer | null | undefined
  /** Without effect, as in `@fastify/websocket`. */
  host?: string | undefined
  /** Without effect, as in `@fastify/websocket`. */
  backlog?: number | undefined
}

/** What cannot be set here, and what to do instead. */
const instead = new Map(
  Object.entries({
    noServer: 'the plugin serves app.server; for a WebSocket server of its own, use ws or attach() of @oneport/core',
    path: "use a route, such as app.get('/path', { websocket: true }, handler)",
    port: 'use app.listen({ port })',
    WebSocket: 'use listeners on the socket that the handler gets'
  })
)

const withoutEffect = ['host', 'backlog'] as const

/**
 * The plugin's own options, with what `options` says in words of `ws`.
 * @throws TypeError for an option of `ws` that cannot be set here, and for what is set twice
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
    throw new TypeError(`fastifyWebsocket: ${name}: options says this too, in words of ws; leave one of them out`)
  }
  return { ...own, ...Object.fromEntries(given) }
}
