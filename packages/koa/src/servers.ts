import type { IncomingMessage } from 'node:http'
import { type Attachment, HandshakeError, type HttpServer, type ServerOptions } from '@oneport/core'
import {
  adopt,
  attach,
  attachmentTo,
  isBun,
  isWebSocketRequest,
  logRefusal,
  onNewConnection,
  serverOf
} from '@oneport/core/adapter'
import { type Mount, type Served, servers, waiting } from './registry.ts'

let watching = false

/**
 * Attaches each server of a Koa application on its first connection. Koa does not tell which application it is: neither
 * `app.use()` nor `app.callback()` calls anything of ours. So the options are a guess until the first request passes a
 * `wsUpgrade()`: those of the only one that has no server yet, otherwise the defaults.
 */
export function watchServers(): void {
  if (watching) return
  watching = true
  onNewConnection((server) => {
    if (servers.has(server) || attachmentTo(server, server) !== undefined || !isOfKoa(server)) return
    const [first, ...others] = waiting
    serve(server, others.length === 0 ? first : undefined, { attach, adopt })
  })
}

/**
 * Whether the `request` listener of a server comes from `app.callback()`. Minifiers keep the name of this method. A
 * function of another realm is none of ours: Jest runs each test file in its own one, and keeps the subscriptions of
 * those that have ended.
 */
const isOfKoa = (server: HttpServer): boolean =>
  server
    .listeners('request')
    .some((listener) => listener instanceof Function && String(listener).includes('.createContext('))

function serve(server: HttpServer, mount: Mount | undefined, core: Served['core'], isSettled = false): Served {
  const attachment = core.attach(server, undefined, mount?.options, { tellsClients: true })
  const served = { attachment, mount, isSettled, core }
  servers.set(server, served)
  if (mount !== undefined) waiting.delete(mount)
  return served
}

/**
 * Attaches a server by hand.
 * @throws Error if the server is already attached
 */
export function attachServer(server: HttpServer, mount: Mount): Attachment {
  if (attachmentTo(server, server) !== undefined && servers.get(server)?.isSettled !== false) {
    throw new Error('wsUpgrade: this server is already attached')
  }
  return settle(server, mount).attachment
}

/** Gives a server the options of its application, for good. */
function settle(server: HttpServer, mount: Mount): Served {
  const guess = servers.get(server)
  const isRight = guess?.isSettled === false && guess.mount === mount
  if (!isRight) guess?.attachment.detach()
  const served = isRight ? guess : serve(server, mount, guess?.core ?? { attach, adopt })
  served.isSettled = true
  join(server, mount, served)
  server.once('close', () => {
    servers.delete(server)
    served.attachment.detach()
  })
  return served
}

/** Adds the attachment of a server to a mount until the server is closed and its last connection has ended. */
function join(server: HttpServer, mount: Mount, { attachment }: Served): void {
  waiting.delete(mount)
  mount.servers.add(server)
  mount.attachments.add(attachment)
  server.once('close', () => {
    mount.servers.delete(server)
    void attachment.drain().then(() => mount.attachments.delete(attachment))
  })
}

/**
 * Notes that the server of a request belongs to the application of a mount. Called for every request.
 * @throws HandshakeError for a handshake that came too early, or that the options of the mount do not admit
 * @throws TypeError for a handshake if the options of the mount cannot be in force
 */
export function noteServer(req: IncomingMessage, mount: Mount): void {
  const server = serverOf(req.socket)
  if (server === undefined || mount.servers.has(server)) return
  const known = servers.get(server)
  if (known === undefined) {
    if (attachmentTo(server, server) === undefined) attachLate(server, mount, req)
  } else if (!known.isSettled) {
    const { attachment, core } = settle(server, mount)
    if (attachment !== known.attachment) core.adopt(req, attachment)
  } else if (Object.keys(mount.options).length === 0) {
    join(server, mount, known)
  } else if (isWebSocketRequest(req)) {
    throw notFirst(mount.options)
  }
}

/**
 * Attaches a server on its first request, because nothing has told of it before. Node has parsed this request as an
 * ordinary one, even if it is a handshake.
 */
function attachLate(server: HttpServer, mount: Mount, req: IncomingMessage): void {
  // A server whose connections are handed to it needs no warning: there is nothing to change.
  if (isBun || !isOfKoa(server)) process.emitWarning(`wsUpgrade: ${late}`, { code: 'ONEPORT_NOT_ATTACHED' })
  settle(server, mount)
  if (!isWebSocketRequest(req)) return
  const message = 'The server is accepting WebSocket connections now; try again.'
  const error = new HandshakeError('HANDSHAKE_UNAVAILABLE', message, late)
  logRefusal(error)
  throw error
}

const late =
  'this server was not known before its first request, so a WebSocket handshake that arrives first gets 503. It calls ' +
  'the application through another function, or runs on Bun. Keep the return value of wsUpgrade(), and call its ' +
  'attach(server) before the server listens.'

const notFirst = (options: ServerOptions): TypeError =>
  new TypeError(
    `wsUpgrade: ${Object.keys(options).join(', ')}: only the first wsUpgrade() of an application takes options for the ` +
      'whole server'
  )
