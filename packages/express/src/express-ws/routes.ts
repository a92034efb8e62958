import type { ServerResponse } from 'node:http'
import { CloseCode, HandshakeError, type WebSocket } from '@oneport/core'
import { answerFault, asError, isPrintable, show } from '@oneport/core/adapter'
import type express from 'express'
import { acceptOfRoute, passOn } from '../accept.ts'
import { entered } from './entrance.ts'
import type { RouterLike, WebsocketRequestHandler } from './types.ts'

/** Adds the method `ws`, unless there already is a property with this name. */
export function addWsMethod(target: RouterLike & { ws?: unknown }): void {
  target.ws ??= addWsRoute
}

function addWsRoute<Target extends RouterLike>(
  this: Target,
  path: string,
  ...handlers: WebsocketRequestHandler[]
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

/** The first handler of the first matching route accepts the handshake. All handlers get the same socket. */
function takeSocket(handler: WebsocketRequestHandler, isLast: boolean): express.RequestHandler {
  return (req: Accepted, res, next) => {
    const entrance = entered.get(req)
    if (entrance === undefined) return next()
    if (req.ws !== undefined) return void run(handler, req.ws, req, next)
    const open = (socket: WebSocket): unknown => {
      req.ws = socket
      speakAsWs7(socket)
      dropFields(res)
      entrance.sockets.add(socket)
      const running = run(handler, socket, req, next)
      entrance.sockets.emit('connection', socket, req)
      // Messages wait until the last handler has finished, or listens for them.
      return isLast ? running : new Promise(() => {})
    }
    return acceptOfRoute(req, res, entrance.endpoint, open, answer)
  }
}

/** As in express-ws, error middleware does not see a refused handshake: it may answer all errors with 500. */
function answer(req: express.Request, res: ServerResponse, error: unknown): void {
  if (error instanceof HandshakeError) answerFault(req, res, error)
  else passOn(req, res, error)
}

async function run(
  handler: WebsocketRequestHandler,
  socket: WebSocket,
  req: express.Request,
  next: express.NextFunction
): Promise<void> {
  const passOn = (error?: unknown): void => {
    if (error && error !== 'route' && error !== 'router') socket.close(CloseCode.INTERNAL_ERROR)
    // Error middleware and the log of Express must be able to print it.
    next(isPrintable(error) ? error : asError(error))
  }
  try {
    await handler(socket, req, passOn)
  } catch (error) {
    passOn(error || asError(error))
  }
}

/**
 * express-ws uses `ws` 7, where text messages and close reasons are strings. Messages that still wait for a listener
 * stay unchanged, because their bytes are counted.
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

/** Ignores header fields that error middleware sets after the 101, where Node would throw an error. */
function dropFields(res: ServerResponse): void {
  res.setHeader = () => res
}
