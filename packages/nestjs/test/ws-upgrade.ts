import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  type Attachment,
  type AttachOptions,
  HandshakeError,
  type HttpServer,
  type WebSocket,
  type WebSocketHandler
} from '@oneport/core'
import { checkOptions, isWebSocketRequest, limitPending, show, splitOptions, type Without } from '@oneport/core/adapter'
import type { Request } from 'express'
import { acceptWebSocket, ExpressBinding, setDefaults } from './accept.ts'
import { allAttachments } from './all-attachments.ts'
import { noteForAllRoutes } from './behind-routes.ts'
import { clientOf } from './effective-request.ts'
import { addMount, attachmentsOf, createMount, type ExpressApplication } from './mounting.ts'
import { attachServer, seeToUnattached, watchServers } from './servers.ts'

/** Options of `wsUpgrade`: the defaults of all endpoints behind it, and what concerns the server as a whole. */
export type WsUpgradeOptions = Omit<AttachOptions, 'effectiveRequest'>

/**
 * The middleware that {@link wsUpgrade} makes, and with it the `Attachment` of all servers of the application: it has their
 * sockets and counts together, and what is called is called for each of them.
 */
export interface WsUpgrade extends Attachment {
  /** The middleware, as Express calls it. */
  (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void): void
  /**
   * The open sockets of all servers of the application. Read it again each time: servers are attached at their first
   * connection, and of several servers this is a copy.
   */
  readonly connections: ReadonlySet<WebSocket>
  /**
   * For a server whose `request` listener is not the application itself but a function around it.
   * @throws Error where the server is attached already
   */
  attach(server: HttpServer): Attachment
}

/**
 * Lets the servers of an application take WebSocket connections: `app.use(wsUpgrade())` is all there is to do, for
 * `app.listen()`, `http.createServer(app)` and `https.createServer(…, app)`. Put it before the routes.
 *
 * With a handler it also serves one endpoint at its mount path: `app.use('/echo', wsUpgrade(options, handler))`. Its request
 * is one of the `@types/express` that this package finds; where the application has another version, say so:
 * `wsUpgrade((socket, req: Request) => …)`.
 *
 * @throws TypeError for wrong options
 */
export function wsUpgrade<Req extends IncomingMessage = Request>(
  options?: WsUpgradeOptions | Without<WsUpgradeOptions, WebSocketHandler<Req>>
): WsUpgrade
/**
 * Lets the servers of an application take WebSocket connections, and serves one endpoint at its mount path:
 * `app.use('/echo', wsUpgrade(options, handler))`.
 *
 * @param options of this endpoint, and what concerns the server as a whole
 * @param handler gets each open socket
 * @throws TypeError for wrong options
 */
export function wsUpgrade<Req extends IncomingMessage = Request>(
  options: WsUpgradeOptions,
  handler: WebSocketHandler<Req> | undefined
): WsUpgrade
export function wsUpgrade<Req extends IncomingMessage = Request>(
  first: WsUpgradeOptions | WebSocketHandler<Req> = {},
  second?: WebSocketHandler<Req>
): WsUpgrade {
  const [options, handler] = typeof first === 'function' ? [{}, first] : [first, second]
  checkNotMeant(options)
  checkNotMeant(handler)
  if (handler !== undefined && typeof handler !== 'function') {
    throw new TypeError(`wsUpgrade: expected a handler (socket, req) => …; got ${show(handler)}`)
  }
  checkOptions(options, 'wsUpgrade', wsUpgrade)
  if ('effectiveRequest' in options) {
    throw new TypeError(
      "wsUpgrade: effectiveRequest cannot be set here; use app.set('trust proxy', …), which says what to believe of a proxy"
    )
  }
  const { endpoint: defaults } = splitOptions(options)
  const mount = createMount(options)
  watchServers()

  const middleware = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void): void => {
    const isNew = seeToUnattached(req)
    const isHandshake = isWebSocketRequest(req)
    if (isNew && isHandshake) {
      next(tooEarly())
    } else if (handler === undefined) {
      passOn(req, isHandshake, next)
    } else if ((req as Request).path === '/') {
      void acceptWebSocket(req as Req, res, defaults, handler)
    } else {
      next()
    }
  }
  const passOn = (req: IncomingMessage, isHandshake: boolean, next: (error?: unknown) => void): void => {
    try {
      if (isHandshake) {
        setDefaults(req, defaults)
        limitPending(req, clientOf(req as Request), new ExpressBinding(req as Request))
      }
    } catch (error) {
      next(error)
      return
    }
    next()
  }
  const own = {
    attach: (server: HttpServer) => attachServer(server, mount),
    // What Express asks of an application before it says `mount` to it (application.js, `app.use`).
    handle: middleware,
    set: () => {},
    emit: (event: string, parent: ExpressApplication) => {
      if (event !== 'mount') return
      addMount(parent, mount)
      const { mountpath } = middleware as { mountpath?: unknown }
      if (handler === undefined && mountpath === '/') noteForAllRoutes(parent, defaults)
    }
  }
  const websockets = Object.assign(middleware, own)
  const all = Object.getOwnPropertyDescriptors(allAttachments(() => attachmentsOf(mount)))
  return Object.defineProperties(websockets, all) as typeof websockets & Attachment
}

/** @throws TypeError for an application or a server, which are for other calls */
function checkNotMeant(value: unknown): void {
  const { use, on, listen } = (value ?? {}) as { use?: unknown; on?: unknown; listen?: unknown }
  if (typeof use === 'function') {
    throw new TypeError(
      'wsUpgrade: expected options or a handler; got an application or a router: call app.use(wsUpgrade())'
    )
  }
  if (typeof on === 'function' && typeof listen === 'function') {
    throw new TypeError('wsUpgrade: expected options or a handler; got a server: call wsUpgrade().attach(server)')
  }
}

/** Node took this handshake for an ordinary request: nobody listened for another kind when it came. */
const tooEarly = (): HandshakeError =>
  new HandshakeError(
    'HANDSHAKE_UNAVAILABLE',
    'The server takes WebSocket connections from now on; try again.',
    'Nothing told of the server before: it was handed its first connection, or runs on Bun. Keep what wsUpgrade() returns ' +
      'and call its attach(server) before the server listens'
  )
