import { type Attachment, type AttachOptions, type HttpServer, isWebSocketRequest, type WebSocket } from '@oneport/core'
import { allAttachments, checkOptions, limitPending, setDefaults, splitOptions } from '@oneport/core/adapter'
import type { ExtendableContext, Next } from 'koa'
import { acceptWebSocket } from './accept.ts'
import { exposed, KoaBinding } from './binding.ts'
import { createMount } from './registry.ts'
import { attachServer, noteServer, watchServers } from './servers.ts'

/** Options of `wsUpgrade`: defaults for all endpoints after it, and options for the whole server. */
export type WsUpgradeOptions = Omit<AttachOptions, 'effectiveRequest'>

/**
 * The middleware that {@link wsUpgrade} returns. It is also the `Attachment` of all servers whose requests pass it: it
 * combines their sockets and counts, and calls its methods for each of them.
 */
export interface WsUpgrade extends Attachment {
  /** The middleware, as Koa calls it. */
  (ctx: ExtendableContext, next: Next): Promise<unknown>
  /**
   * The open sockets of all servers of the application. Read it each time you need it: servers are attached on their
   * first connection, and with several servers this is a copy.
   */
  readonly connections: ReadonlySet<WebSocket>
  /**
   * Attaches a server whose `request` listener is not `app.callback()` itself but a function around it.
   * @throws Error if the server is already attached
   */
  attach(server: HttpServer): Attachment
}

/**
 * Lets the servers of an application accept WebSocket connections, and gives each context behind it the method
 * `ctx.acceptWebSocket`. `app.use(wsUpgrade())` is enough for `app.listen()` and for servers of `node:http`,
 * `node:https` and `node:http2` that are created with `app.callback()`. Put it before all other middleware.
 *
 * @throws TypeError for invalid options
 */
export function wsUpgrade(options: WsUpgradeOptions = {}): WsUpgrade {
  checkNotMeant(options)
  checkOptions(options, 'wsUpgrade', wsUpgrade)
  if ('effectiveRequest' in options) {
    throw new TypeError('wsUpgrade: effectiveRequest cannot be set here; set app.proxy = true to trust a proxy')
  }
  const { server, endpoint } = splitOptions(options)
  const mount = createMount(server)
  watchServers()

  const middleware = (ctx: ExtendableContext, next: Next): Promise<unknown> => {
    const { req } = ctx
    ctx.acceptWebSocket = acceptWebSocket
    try {
      noteServer(req, mount)
      if (isWebSocketRequest(req)) {
        setDefaults(req, endpoint)
        const binding = new KoaBinding(ctx)
        limitPending(req, binding.effectiveRequest(), binding)
      }
    } catch (error) {
      throw exposed(error)
    }
    return next()
  }
  const websockets = Object.assign(middleware, { attach: (server: HttpServer) => attachServer(server, mount) })
  const all = Object.getOwnPropertyDescriptors(allAttachments(() => [...mount.attachments]))
  return Object.defineProperties(websockets, all) as typeof websockets & Attachment
}

/** @throws TypeError for an application or a server, which are for other calls, and for a context */
function checkNotMeant(value: unknown): void {
  const { use, on, listen, req } = (value ?? {}) as Partial<Record<'use' | 'on' | 'listen' | 'req', unknown>>
  const hint =
    typeof req === 'object'
      ? 'got a context: call it, as in app.use(wsUpgrade()), not app.use(wsUpgrade)'
      : typeof use === 'function'
        ? 'got an application or a router: call app.use(wsUpgrade())'
        : typeof on === 'function' && typeof listen === 'function'
          ? 'got a server: call wsUpgrade().attach(server)'
          : typeof value === 'function'
            ? 'got a handler: pass it to ctx.acceptWebSocket()'
            : undefined
  if (hint !== undefined) throw new TypeError(`wsUpgrade: expected options; ${hint}`)
}
