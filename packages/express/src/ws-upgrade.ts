import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  type Attachment,
  type AttachOptions,
  HandshakeError,
  type HttpServer,
  type WebSocket,
  type WebSocketHandler
} from '@oneport/core'
import {
  allAttachments,
  checkOptions,
  isWebSocketRequest,
  limitPending,
  setDefaults,
  show,
  splitOptions,
  type Without
} from '@oneport/core/adapter'
import type { Request } from 'express'
import { acceptWebSocket, ExpressBinding } from './accept.ts'
import { noteForAllRoutes } from './behind-routes.ts'
import { clientOf } from './effective-request.ts'
import { addMount, attachmentsOf, createMount, type ExpressApplication } from './mounting.ts'
import { attachServer, seeToUnattached, watchServers } from './servers.ts'

/** Options of `wsUpgrade`: defaults for all endpoints after it, and options for the whole server. */
export type WsUpgradeOptions = Omit<AttachOptions, 'effectiveRequest'>

/**
 * The middleware that {@link wsUpgrade} returns. It is also the `Attachment` of all servers of the application: it
 * combines their sockets and counts, and calls its methods for each of them.
 */
export interface WsUpgrade extends Attachment {
  /** The middleware, as Express calls it. */
  (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void): void
  /**
   * The open sockets of all servers of the application. Read it each time you need it: servers are attached on their
   * first connection, and with several servers this is a copy.
   */
  readonly connections: ReadonlySet<WebSocket>
  /**
   * Attaches a server whose `request` listener is not the application itself but a function around it.
   * @throws Error if the server is already attached
   * @throws TypeError for a server of `node:http2`
   */
  attach(server: HttpServer): Attachment
}

/**
 * Lets the servers of an application accept WebSocket connections. `app.use(wsUpgrade())` is enough for `app.listen()`,
 * `http.createServer(app)` and `https.createServer(…, app)`. Put it before the routes.
 *
 * With a handler, it also serves one endpoint at its mount path: `app.use('/echo', wsUpgrade(options, handler))`. The
 * request has the type of the `@types/express` that this package finds. If your application has another version,
 * declare the type: `wsUpgrade((socket, req: Request) => …)`.
 *
 * @throws TypeError for invalid options
 */
export function wsUpgrade<Req extends IncomingMessage = Request>(
  options?: WsUpgradeOptions | Without<WsUpgradeOptions, WebSocketHandler<Req>>
): WsUpgrade
/**
 * Lets the servers of an application accept WebSocket connections, and serves one endpoint at its mount path:
 * `app.use('/echo', wsUpgrade(options, handler))`.
 *
 * @param options options of this endpoint, and of the whole server
 * @param handler called with each open socket and its request
 * @throws TypeError for invalid options
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
      "wsUpgrade: effectiveRequest cannot be set here; use app.set('trust proxy', …) to trust a proxy"
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
    // Properties that Express checks before it emits `mount` on an application (application.js, `app.use`).
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

/** @throws TypeError for an application or a server, which are for other calls, and for a request */
function checkNotMeant(value: unknown): void {
  const { use, on, listen, socket } = (value ?? {}) as Partial<Record<'use' | 'on' | 'listen' | 'socket', unknown>>
  if (typeof on === 'function' && typeof socket === 'object') {
    throw new TypeError(
      'wsUpgrade: expected options or a handler; got a request: call it, as in app.use(wsUpgrade()), not app.use(wsUpgrade)'
    )
  }
  if (typeof use === 'function') {
    throw new TypeError(
      'wsUpgrade: expected options or a handler; got an application or a router: call app.use(wsUpgrade())'
    )
  }
  if (typeof on === 'function' && typeof listen === 'function') {
    throw new TypeError('wsUpgrade: expected options or a handler; got a server: call wsUpgrade().attach(server)')
  }
}

/** Node parsed this handshake as an ordinary request, because nothing listened for `upgrade` when it arrived. */
const tooEarly = (): HandshakeError =>
  new HandshakeError(
    'HANDSHAKE_UNAVAILABLE',
    'The server is accepting WebSocket connections now; try again.',
    'This server was unknown until this request: it was handed its first connection, or runs on Bun. Keep the return ' +
      'value of wsUpgrade(), and call its attach(server) before the server listens'
  )
