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
 * `wsUpgrade()`.
 */
export function watchServers(): void {
  if (watching) return
  watching = true
  onNewConnection((server) => {
    if (servers.has(server) || attachmentTo(server, server) !== undefined || !isOfKoa(server)) return
    serve(server, guess(), { attach, adopt })
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

/** The only mount that has no server yet. A wrong guess must not change requests, nor decide for other listeners. */
function guess(): Mount | undefined {
  const [first, ...others] = waiting
  const { bearerSubprotocol, claims } = first?.options ?? {}
  return others.length === 0 && bearerSubprotocol === undefined && claims === undefined ? first : undefined
}

function serve(server: HttpServer, mount: Mount | undefined, core: Served['core']): Served {
  const attachment = core.attach(server, undefined, mount?.options, { tellsClients: true })
  const mounts = new Set<Mount>()
  const release = (): void => {
    server.off('close', release)
    if (servers.get(server) === served) servers.delete(server)
    attachment.detach()
    if (mounts.size === 0) return
    // A server that is handed its connections emits `close` while they are still open.
    void attachment.drain().then(() => {
      for (const each of mounts) each.attachments.delete(attachment)
    })
  }
  const served: Served = { attachment, mount, mounts, core, release }
  servers.set(server, served)
  server.on('close', release)
  if (mount !== undefined) waiting.delete(mount)
  return served
}

/**
 * Attaches a server by hand.
 * @throws Error if the server is already attached
 */
export function attachServer(server: HttpServer, mount: Mount): Attachment {
  const known = servers.get(server)
  const isGuess = known?.mounts.size === 0
  if (attachmentTo(server, server) !== undefined && !isGuess) {
    throw new Error('wsUpgrade: this server is already attached')
  }
  // It was detached by hand. If it still has connections, they are kept until the server closes.
  if (known?.attachment.connections.size === 0 && !isGuess) known.release()
  return settle(server, mount).attachment
}

/** Gives a server the options of its application. */
function settle(server: HttpServer, mount: Mount): Served {
  const known = servers.get(server)
  const isGuess = known?.mounts.size === 0
  if (isGuess && known.mount === mount) return join(mount, known)
  if (isGuess) known.release()
  return join(mount, serve(server, mount, known?.core ?? { attach, adopt }))
}

/** Adds the attachment of a server to a mount. */
function join(mount: Mount, served: Served): Served {
  waiting.delete(mount)
  served.mounts.add(mount)
  mount.attachments.add(served.attachment)
  return served
}

/**
 * Notes that the server of a request belongs to the application of a mount, and gives a handshake the options that the
 * server has by now. Called for every request.
 * @throws HandshakeError for a handshake that came too early, or that these options do not admit
 * @throws TypeError for a handshake if the options of the mount cannot be in force
 */
export function noteServer(req: IncomingMessage, mount: Mount): void {
  const server = serverOf(req.socket)
  const served = server === undefined ? undefined : servedFor(server, mount, req)
  served?.core.adopt(req, served.attachment)
}

function servedFor(server: HttpServer, mount: Mount, req: IncomingMessage): Served | undefined {
  const known = servers.get(server)
  if (known === undefined) {
    // If the application has attached it with core, it has the options that are given there.
    return attachmentTo(server, server) === undefined ? attachLate(server, mount, req) : undefined
  }
  if (known.mounts.has(mount)) return known
  if (known.mounts.size === 0) return settle(server, mount)
  if (Object.keys(mount.options).length === 0) return join(mount, known)
  if (isWebSocketRequest(req)) throw notFirst(mount.options)
  return known
}

/**
 * Attaches a server on its first request, because nothing has told of it before. Node has parsed this request as an
 * ordinary one, even if it is a handshake.
 */
function attachLate(server: HttpServer, mount: Mount, req: IncomingMessage): Served {
  // A server whose connections are handed to it needs no warning: there is nothing to change.
  if (isBun || !isOfKoa(server)) process.emitWarning(`wsUpgrade: ${late}`, { code: 'ONEPORT_NOT_ATTACHED' })
  const served = settle(server, mount)
  if (!isWebSocketRequest(req)) return served
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
