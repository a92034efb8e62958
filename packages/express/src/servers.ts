import { subscribe } from 'node:diagnostics_channel'
import type { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Attachment, AttachOptions, Dispatch, HttpServer } from '@oneport/core'
import { attach, attachmentOf, splitOptions } from '@oneport/core/adapter'

/** One `wsUpgrade()`: what it was given, and the servers that it serves. */
export interface Mount {
  readonly options: AttachOptions
  readonly attachments: Set<Attachment>
  /** The mounts of each application that this one is in. */
  readonly companions: Set<ReadonlySet<Mount>>
}

/** What this file needs of an Express application. */
export interface Application extends EventEmitter {
  parent?: Application | undefined
}

/** The mounts in an application and in the applications mounted in it, the first one first. */
const mounts = new WeakMap<object, Set<Mount>>()

/** Servers that are attached, so that a new connection costs one look-up. */
const attachedServers = new WeakSet<HttpServer>()

/**
 * Notes that a mount belongs to an application, and to every application that this one is or gets mounted in.
 * @throws TypeError where two mounts of one application both have options for the server as a whole
 */
export function addMount(app: Application, mount: Mount): void {
  const known = mounts.get(app) ?? new Set()
  mounts.set(app, known)
  const [first] = known
  const extra = Object.keys(splitOptions(mount.options).server)
  if (first !== undefined && first !== mount && extra.length > 0) {
    throw new TypeError(
      `wsUpgrade: ${extra.join(', ')} can be given to the first wsUpgrade() of an application only; they are for the whole server`
    )
  }
  known.add(mount)
  mount.companions.add(known)
  if (app.parent !== undefined) addMount(app.parent, mount)
  app.on('mount', (parent: Application) => addMount(parent, mount))
}

/**
 * Attaches a server that one of the mounts is for; every mount of the same application shares the attachment.
 * Defaults of endpoints are not the server's: each request takes those of the mounts that it passes.
 * @param app takes the handshakes itself, whatever the server's `request` listener is
 */
export function attachServer(server: HttpServer, serving: ReadonlySet<Mount>, app?: Dispatch): Attachment {
  if (attachedServers.has(server)) throw new Error('wsUpgrade: this server is attached already')
  if (isHttp2(server)) throw new TypeError(noHttp2)
  const [first] = serving
  const { server: options } = splitOptions(first?.options ?? {})
  const attachment = attach(server, app, options, { tellsClients: true })
  attachedServers.add(server)
  for (const { attachments } of serving) attachments.add(attachment)
  server.once('close', () => {
    attachedServers.delete(server)
    attachment.detach()
    for (const { attachments } of serving) attachments.delete(attachment)
  })
  return attachment
}

/** Node's servers of HTTP/2 have this method, and no others. */
const isHttp2 = (server: object): boolean => 'updateSettings' in server

/** Express puts its own prototypes on request and response, which on HTTP/2 are other classes. */
const noHttp2 =
  'wsUpgrade: Express cannot serve node:http2, not even a plain GET; use node:http or node:https, with a proxy for HTTP/2.'

/** Servers whose operator has been told what does not work with them. */
const warnedServers = new WeakSet<HttpServer>()

/**
 * Sees to a server whose requests reach a mount and whose handshakes do not. One that is handed its connections
 * (`server.emit('connection', socket)`, as workers of a sticky cluster do) is attached now: nothing has told of it before.
 * Otherwise the server's `request` listener is a function around the application, so nothing tells that the two belong
 * together; Socket.IO puts such a function there. A warning says what to do.
 * @returns whether it is attached from now on
 */
export function seeToUnattached({ socket }: IncomingMessage): boolean {
  // Node's name for the server of a connection; a request that no connection brought has none.
  const { server } = socket as Socket & { server?: HttpServer }
  if (server === undefined || isKnown(server)) return false
  if (attachToApplication(server)) return true
  warnOnce(
    server,
    'wsUpgrade: this server calls the application through another function (Socket.IO puts one there), so WebSocket ' +
      'handshakes do not reach it. Keep what wsUpgrade() returns and call its attach(server) before the server listens.',
    'ONEPORT_NOT_ATTACHED'
  )
  return false
}

const isKnown = (server: HttpServer): boolean => attachedServers.has(server) || attachmentOf(server) !== undefined

/** Attaches a server whose `request` listener is an application with a mount. @returns whether it was one */
function attachToApplication(server: HttpServer): boolean {
  for (const listener of server.listeners('request')) {
    const serving = mounts.get(listener)
    if (serving === undefined) continue
    if (isHttp2(server)) warnOnce(server, noHttp2, 'ONEPORT_HTTP2')
    else attachServer(server, serving)
    return true
  }
  return false
}

function warnOnce(server: HttpServer, message: string, code: string): void {
  if (warnedServers.has(server)) return
  warnedServers.add(server)
  process.emitWarning(message, { code })
}

let watching = false

/**
 * Attaches each server whose `request` listener is an application with a mount, at its first connection.
 *
 * Node names the server of a new connection on a diagnostics channel before it parses the first byte, so even a
 * handshake that is the first request of the process finds the server attached, and nothing has to be patched.
 * https://nodejs.org/api/diagnostics_channel.html#net
 */
export function watchServers(): void {
  if (watching) return
  watching = true
  subscribe('net.server.socket', (message) => {
    const { server } = (message as { socket: Socket & { server?: HttpServer } }).socket
    if (server !== undefined && !attachedServers.has(server)) attachToApplication(server)
  })
}
