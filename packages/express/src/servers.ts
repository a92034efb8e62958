import type { IncomingMessage } from 'node:http'
import type { Attachment, Dispatch, HttpServer } from '@oneport/core'
import { attachmentOf, attachmentTo, isBun, onNewConnection, serverOf } from '@oneport/core/adapter'
import type { Request } from 'express'
import { companionsOf, type ExpressApplication, serverOptionsOf } from './mounting.ts'
import { prepare } from './prepare.ts'
import { type Application, applications, type Mount, servers } from './registry.ts'

/** `wsUpgrade()` passes the client of a handshake to core, because only Express knows it. */
const traits = { tellsClients: true, prepare }

/**
 * Attaches a server by hand. All mounts of the same applications share the attachment. It has no defaults for
 * endpoints: each request gets those of the mounts that it passes.
 * @param app handles the handshakes, in place of the server's `request` listener
 * @throws Error if the server is already attached
 * @throws TypeError for a server of `node:http2`
 */
export function attachServer(server: HttpServer, mount: Mount, app?: Dispatch): Attachment {
  const isAttached = servers.get(server) === 'attached' && attachmentOf(server) !== undefined
  if (isAttached) throw new Error('wsUpgrade: this server is already attached')
  if (isHttp2(server)) throw new TypeError(noHttp2)
  const attachment = mount.attach(server, app, serverOptionsOf(companionsOf(mount)), traits)
  return keep(attachment, mount, server)
}

/** The attachments of each server with their owners, until the server closes. */
const kept = new WeakMap<HttpServer, [attachment: Attachment, owner: Mount | Application][]>()

/** Records the owner of an attachment. */
function keep(attachment: Attachment, owner: Mount | Application, server: HttpServer): Attachment {
  servers.set(server, 'attached')
  owner.attachments.add(attachment)
  const earlier = kept.get(server)
  if (earlier === undefined) server.once('close', () => release(server))
  // An attachment that was detached by hand is kept as long as it has connections.
  const others = earlier?.filter(([one, { attachments }]) => one.connections.size > 0 || !attachments.delete(one)) ?? []
  kept.set(server, [...others, [attachment, owner]])
  return attachment
}

function release(server: HttpServer): void {
  servers.delete(server)
  for (const [attachment, { attachments }] of kept.get(server) ?? []) {
    attachment.detach()
    // A server that is handed its connections emits `close` while they are still open.
    void attachment.drain().then(() => attachments.delete(attachment))
  }
  kept.delete(server)
}

/** Only Node's HTTP/2 servers have this method. */
const isHttp2 = (server: HttpServer & { updateSettings?: unknown }): boolean => server?.updateSettings !== undefined

/** Express sets its own prototypes on request and response, which are other classes in HTTP/2. */
const noHttp2 =
  'wsUpgrade: Express cannot serve node:http2, not even a plain GET; use node:http or node:https, with a proxy for HTTP/2.'

let watching = false

/** Attaches each server whose `request` listener is an application with a mount, on its first connection. */
export function watchServers(): void {
  if (watching) return
  watching = true
  onNewConnection((server) => {
    if (servers.get(server) !== 'attached') attachToApplication(server)
  })
}

/**
 * Handles a server whose requests reach a mount but whose handshakes do not. If it is handed its connections
 * (`server.emit('connection', socket)`, as in workers of a sticky cluster), it is attached now, because this request is
 * the first sign of it. Otherwise a warning says what to do. Either the mount is on a router, which Express does not
 * report; or the server's `request` listener is a function around the application, like that of Socket.IO, and there is
 * no way to see that the two belong together.
 * @returns whether the server was attached
 */
export function seeToUnattached(req: IncomingMessage): boolean {
  const { socket } = req
  const server = serverOf(socket)
  if (server === undefined || servers.get(server) === 'attached' || attachmentOf(server) !== undefined) return false
  if (attachToApplication(server)) {
    if (isBun) warnOfFirstRequest()
    return true
  }
  warnOnce(server, isListener(server, (req as Request).app) ? onRouter : aroundApplication, 'ONEPORT_NOT_ATTACHED')
  return false
}

/** Whether an application, or one that it is mounted in, is the server's `request` listener. */
function isListener(server: HttpServer, app: ExpressApplication | undefined): boolean {
  if (app === undefined) return false
  const listeners: readonly unknown[] = server.listeners('request')
  return listeners.includes(app) || isListener(server, app.parent)
}

const onRouter =
  'wsUpgrade: it is on a router, where it cannot find the server, so WebSocket handshakes do not reach the application. ' +
  'Put it on the application, before the routes: app.use(wsUpgrade()).'

const aroundApplication =
  'wsUpgrade: this server calls the application through another function (Socket.IO adds one), so WebSocket handshakes ' +
  'do not reach it. Keep the return value of wsUpgrade(), and call its attach(server) before the server listens.'

/** Bun does not publish connections, so a server is attached on its first request. */
function warnOfFirstRequest(): void {
  process.emitWarning(
    'wsUpgrade: Bun does not report a server before its first request, so a WebSocket handshake that arrives first gets ' +
      '503. Keep the return value of wsUpgrade(), and call its attach(server) before the server listens.',
    { code: 'ONEPORT_NOT_ATTACHED' }
  )
}

/** Attaches a server if its `request` listener is an application with a mount. @returns whether it is */
function attachToApplication(server: HttpServer): boolean {
  for (const listener of server.listeners('request')) {
    const application = applications.get(listener)
    const [first] = application?.mounts ?? []
    if (application === undefined || first === undefined) continue
    if (isHttp2(server)) warnOnce(server, noHttp2, 'ONEPORT_HTTP2')
    // It may already be attached with `attach(server, app)` of core, or with `attach(server)`, which reaches `app` too.
    else if ((attachmentTo(server, listener) ?? attachmentTo(server, server)) === undefined) {
      keep(first.attach(server, undefined, serverOptionsOf(application.mounts), traits), application, server)
    }
    return true
  }
  return false
}

function warnOnce(server: HttpServer, message: string, code: string): void {
  if (servers.has(server)) return
  servers.set(server, 'warned')
  process.emitWarning(message, { code })
}
