import type { IncomingMessage } from 'node:http'
import type { Attachment, Dispatch, HttpServer } from '@oneport/core'
import { attachmentOf, attachmentTo } from '@oneport/core/adapter'
import type { Request } from 'express'
import { isBun, onConnection, serverOf } from './connections.ts'
import { companionsOf, type ExpressApplication, serverOptionsOf } from './mounting.ts'
import { type Application, applications, type Mount, servers } from './registry.ts'

/** `wsUpgrade()` tells core who the client of a handshake is: only Express knows. */
const traits = { tellsClients: true }

/**
 * Attaches a server by hand; every mount of the same applications shares the attachment. Defaults of endpoints are not the
 * server's: each request takes those of the mounts that it passes.
 * @param app takes the handshakes itself, whatever the server's `request` listener is
 * @throws Error where the server is attached already
 */
export function attachServer(server: HttpServer, mount: Mount, app?: Dispatch): Attachment {
  const isAttached = servers.get(server) === 'attached' && attachmentOf(server) !== undefined
  if (isAttached) throw new Error('wsUpgrade: this server is attached already')
  if (isHttp2(server)) throw new TypeError(noHttp2)
  const attachment = mount.attach(server, app, serverOptionsOf(companionsOf(mount)), traits)
  return keep(attachment, mount, server)
}

/** Whom the attachments of a server are for, until it closes. */
const kept = new WeakMap<HttpServer, [attachment: Attachment, owner: Mount | Application][]>()

/** Notes whom an attachment is for. */
function keep(attachment: Attachment, owner: Mount | Application, server: HttpServer): Attachment {
  servers.set(server, 'attached')
  owner.attachments.add(attachment)
  const earlier = kept.get(server)
  if (earlier === undefined) server.once('close', () => release(server))
  // One that was detached by hand goes on for as long as it has connections.
  const others = earlier?.filter(([one, { attachments }]) => one.connections.size > 0 || !attachments.delete(one)) ?? []
  kept.set(server, [...others, [attachment, owner]])
  return attachment
}

function release(server: HttpServer): void {
  servers.delete(server)
  for (const [attachment, { attachments }] of kept.get(server) ?? []) {
    attachment.detach()
    // A server that is handed its connections says `close` while they are open.
    void attachment.drain().then(() => attachments.delete(attachment))
  }
  kept.delete(server)
}

/** Node's servers of HTTP/2 have this method, and no others. */
const isHttp2 = (server: HttpServer & { updateSettings?: unknown }): boolean => server?.updateSettings !== undefined

/** Express puts its own prototypes on request and response, which on HTTP/2 are other classes. */
const noHttp2 =
  'wsUpgrade: Express cannot serve node:http2, not even a plain GET; use node:http or node:https, with a proxy for HTTP/2.'

let watching = false

/** Attaches each server whose `request` listener is an application with a mount, at its first connection. */
export function watchServers(): void {
  if (watching) return
  watching = true
  onConnection((server) => {
    if (servers.get(server) !== 'attached') attachToApplication(server)
  })
}

/**
 * Sees to a server whose requests reach a mount and whose handshakes do not. One that is handed its connections
 * (`server.emit('connection', socket)`, as workers of a sticky cluster do) is attached now: nothing has told of it before.
 * Otherwise a warning says what to do: the mount is on a router, of which Express does not tell; or the server's `request`
 * listener is a function around the application, so nothing tells that the two belong together.
 * @returns whether it is attached from now on
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
  'wsUpgrade: it is on a router, where it does not find the server, so WebSocket handshakes do not reach the application. ' +
  'Put it on the application, before the routes: app.use(wsUpgrade()).'

const aroundApplication =
  'wsUpgrade: this server calls the application through another function (Socket.IO puts one there), so WebSocket ' +
  'handshakes do not reach it. Keep what wsUpgrade() returns and call its attach(server) before the server listens.'

/** Nothing tells of its connections: it is a request that attaches a server. */
function warnOfFirstRequest(): void {
  process.emitWarning(
    'wsUpgrade: Bun does not tell of a server before its first request, so a WebSocket handshake that comes first gets 503. ' +
      'Keep what wsUpgrade() returns and call its attach(server) before the server listens.',
    { code: 'ONEPORT_NOT_ATTACHED' }
  )
}

/** Attaches a server whose `request` listener is an application with a mount. @returns whether it was one */
function attachToApplication(server: HttpServer): boolean {
  for (const listener of server.listeners('request')) {
    const application = applications.get(listener)
    const [first] = application?.mounts ?? []
    if (application === undefined || first === undefined) continue
    if (isHttp2(server)) warnOnce(server, noHttp2, 'ONEPORT_HTTP2')
    // Somebody may have called `attach(server, app)` of core, or `attach(server)`, which goes through `app` as well.
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
