/**
 * The interface of express-ws 5 on top of `acceptWebSocket`. Everything that has to be patched for it is patched here:
 * `ws` and `handle` of the application, and `ws` of all routers.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import { type AttachOptions, CloseCode, type EndpointOptions, type WebSocket } from '@oneport/core'
import { asError, checkOptions, isPrintable, isWebSocketRequest, show, splitOptions } from '@oneport/core/adapter'
import express from 'express'
import { acceptWebSocket } from './accept.ts'
import { addMount, createMount } from './mounting.ts'
import type { Mount } from './registry.ts'
import { attachServer, watchServers } from './servers.ts'
import { ClientsOfRoutes, type SocketServer } from './socket-server.ts'
import { endpointOptionsOf, verify, type WsOptions } from './ws-options.ts'
import type { WsUpgradeOptions } from './ws-upgrade.ts'

declare module 'express' {
  function Router(options?: express.RouterOptions): expressWs.Router
}

export declare namespace expressWs {
  type Application = express.Application & WithWebsocketMethod
  type Router = express.Router & WithWebsocketMethod

  /** Those of express-ws, and beside them every option of `wsUpgrade()`. */
  interface Options extends WsUpgradeOptions {
    /**
     * Leaves the prototype of all routers as it is; then `applyTo(router)` gives one router its `ws`.
     * @default false
     */
    leaveRouterUntouched?: boolean | undefined
    /** Options of the `WebSocketServer` of `ws`. The same options of `wsUpgrade()` come before them. */
    wsOptions?: WsOptions | undefined
  }

  /** What `applyTo` takes: anything with the method `get` of a router. */
  interface RouterLike {
    get(path: string, ...handlers: express.RequestHandler[]): unknown
  }

  interface Instance {
    app: Application
    /** Gives one router its `ws`. */
    applyTo(target: RouterLike): void
    /** What is left of the `WebSocketServer` that express-ws returns here. */
    getWss(): SocketServer
  }

  type WebsocketRequestHandler = (ws: WebSocket, req: express.Request, next: express.NextFunction) => unknown
  type WebsocketMethod<Target> = (route: string, ...handlers: WebsocketRequestHandler[]) => Target

  interface WithWebsocketMethod {
    /**
     * Adds an endpoint. The handlers run behind the 101, each when the one in front of it has called `next()`; what
     * they throw, reject with or pass to `next` goes to the error middleware, and the connection is closed with 1011.
     */
    ws: WebsocketMethod<this>
  }
}

/**
 * Gives an application and all routers the method `ws`, as express-ws does. Middleware runs before the 101, and what it
 * refuses gets an ordinary response. Call it before the routers are filled.
 *
 * As with express-ws, text comes to listeners as a string, and the first subprotocol that a client offers is answered
 * where neither `subprotocols` nor `wsOptions.handleProtocols` says otherwise.
 *
 * @param server takes the handshakes for the application, whatever it does with ordinary requests. Left out, every
 *   server does whose `request` listener the application is. A second call adds a second server.
 * @throws TypeError for wrong options, for options of `ws` that have no meaning here, and for options of a second call
 * @throws Error where the server is attached already
 */
export function expressWs(
  app: express.Application,
  server?: Server | HttpsServer | null,
  options?: expressWs.Options
): expressWs.Instance {
  const known = entrances.get(app)
  if (known !== undefined && options !== undefined && options !== known.options) {
    throw new TypeError('expressWs: this application has its options already; give them to the first call')
  }
  const entrance = known ?? open(app, options ?? {})
  if (server) attachServer(server, entrance.mount, app)
  return entrance.instance
}

/** One application that takes handshakes for `ws` routes. */
interface Entrance {
  readonly options: expressWs.Options
  readonly endpoint: EndpointOptions
  readonly mount: Mount
  readonly wss: ClientsOfRoutes
  readonly instance: expressWs.Instance
}

const entrances = new WeakMap<object, Entrance>()

/** The application that a handshake came into. */
const entered = new WeakMap<IncomingMessage, Entrance>()

function open(app: express.Application, options: expressWs.Options): Entrance {
  const { leaveRouterUntouched = false, wsOptions = {}, ...own } = options
  const given = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined))
  const all: AttachOptions = { ...endpointOptionsOf(wsOptions), ...given }
  checkOptions(all)
  const mount = createMount(all)
  addMount(app, mount)
  watchServers()
  const wss = new ClientsOfRoutes()
  addWsMethod(app)
  if (!leaveRouterUntouched) addWsMethod(routerPrototype)
  const entrance: Entrance = {
    options,
    endpoint: splitOptions(all).endpoint,
    mount,
    wss,
    instance: { app: app as expressWs.Application, applyTo: addWsMethod, getWss: () => wss }
  }
  entrances.set(app, entrance)
  takeHandshakes(app as unknown as Handling, entrance)
  return entrance
}

/** What routers inherit their methods from: on Express 4 the function that makes them. */
const routerPrototype = ('use' in express.Router ? express.Router : express.Router.prototype) as expressWs.RouterLike

type Handle = (req: IncomingMessage, res: ServerResponse, next?: (error?: unknown) => void) => unknown

/** Express calls this method of an application for each request, of a mounted one too. */
interface Handling {
  handle: Handle
}

/**
 * Routes of `ws` end in `/.websocket`, and the URL of a handshake does while it is in the application: so a handshake
 * passes by the ordinary routes of its path, and ordinary requests pass by the routes of `ws`.
 */
function takeHandshakes(app: Handling, entrance: Entrance): void {
  const { handle } = app
  app.handle = (req, res, next) => {
    if (entered.has(req) || entrance.wss.isClosed || !isWebSocketRequest(req)) return handle.call(app, req, res, next)
    entered.set(req, entrance)
    const request = req as express.Request
    const { url } = request
    request.originalUrl ??= url
    const leave = (error?: unknown): void => {
      entered.delete(req)
      request.url = url
      next?.(error)
    }
    return verify(entrance.options.wsOptions?.verifyClient, req, res, () => {
      request.url = withSuffix(url)
      handle.call(app, req, res, next && leave)
    })
  }
}

function withSuffix(url: string): string {
  const [path = '', query] = splitAt(url, url.indexOf('?'))
  return `${path}${path.endsWith('/') ? '' : '/'}.websocket${query}`
}

const splitAt = (text: string, index: number): [string, string] =>
  index === -1 ? [text, ''] : [text.slice(0, index), text.slice(index)]

/** Adds the method `ws`, unless there is something of this name. */
function addWsMethod(target: expressWs.RouterLike & { ws?: unknown }): void {
  target.ws ??= addWsRoute
}

function addWsRoute<Target extends expressWs.RouterLike>(
  this: Target,
  path: string,
  ...handlers: expressWs.WebsocketRequestHandler[]
): Target {
  if (typeof path !== 'string') throw new TypeError(`ws: expected a path as a string; got ${show(path)}`)
  const wrong = handlers.length === 0 ? 0 : handlers.findIndex((handler) => typeof handler !== 'function')
  if (wrong !== -1) throw new TypeError(`ws: expected handlers (ws, req, next) => …; got ${show(handlers[wrong])}`)
  const last = handlers.length - 1
  this.get(
    `${path}${path.endsWith('/') ? '' : '/'}.websocket`,
    ...handlers.map((handler, index) => takeSocket(handler, index === last))
  )
  return this
}

/** A request whose handshake a `ws` route has accepted. */
type Accepted = express.Request & { ws?: WebSocket }

/** The first handler of a request's first route accepts the handshake; all get the same socket. */
function takeSocket(handler: expressWs.WebsocketRequestHandler, isLast: boolean): express.RequestHandler {
  return (req: Accepted, res, next) => {
    const entrance = entered.get(req)
    if (entrance === undefined) return next()
    if (req.ws !== undefined) return void run(handler, req.ws, req, next)
    return acceptWebSocket(req, res, entrance.endpoint, (socket) => {
      req.ws = socket
      speakAsWs7(socket)
      dropFields(res)
      const running = run(handler, socket, req, next)
      entrance.wss.add(socket, req)
      // Messages wait until the last handler is done, or has a listener for them.
      return isLast ? running : new Promise(() => {})
    })
  }
}

async function run(
  handler: expressWs.WebsocketRequestHandler,
  socket: WebSocket,
  req: express.Request,
  next: express.NextFunction
): Promise<void> {
  const passOn = (error?: unknown): void => {
    if (error && error !== 'route' && error !== 'router') socket.close(CloseCode.INTERNAL_ERROR)
    // Error middleware and the log of Express read it.
    next(isPrintable(error) ? error : asError(error))
  }
  try {
    await handler(socket, req, passOn)
  } catch (error) {
    passOn(error || asError(error))
  }
}

/**
 * express-ws has `ws` 7, where text is a string and the reason of a close is too. Of what waits for a listener the
 * bytes are counted, so it is left as it is.
 */
function speakAsWs7(socket: WebSocket): void {
  const { emit } = socket
  socket.emit = (event: string | symbol, ...args: unknown[]) => {
    const [first, second] = args
    if (event === 'close') return emit.call(socket, event, first, String(second))
    const isHeard = event === 'message' && second === false && socket.listenerCount('message') > 0
    return isHeard ? emit.call(socket, event, String(first), false) : emit.call(socket, event, ...args)
  }
}

/** Error middleware writes a response, and the only one has been written: its fields go nowhere, as its body does. */
function dropFields(res: ServerResponse): void {
  res.setHeader = () => res
}
