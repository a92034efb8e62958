import type { Server } from 'node:http'
import type { Http2SecureServer, Http2Server } from 'node:http2'
import type { Attachment, Dispatch, Http2Dispatch, HttpServer } from './attachment.ts'
import { calls } from './copy.ts'
import { noteInternals } from './internals.ts'
import { ClosingWatch } from './life/closing-watch.ts'
import { Connections } from './life/connections.ts'
import { checkDrainOptions, type DrainOptions, type DrainResult, drain, resolveDrainOptions } from './life/drain.ts'
import { Timers } from './life/timers.ts'
import type { Without } from './options/arguments.ts'
import { checking } from './options/checks.ts'
import { type AdapterTraits, type AttachOptions, resolveOptions } from './options/server.ts'
import { attachmentTo, type Copy, countAttachments, joinCopies, ownerOf, register, unregister } from './registry.ts'
import { publishFault } from './reports/stats.ts'
import { checkKey, checkRevocation, unauthorizedCode } from './rules/credential.ts'
import { show } from './show.ts'
import { listenHttp1 } from './transport/http1.ts'
import { isHttp2, listenHttp2 } from './transport/http2.ts'

/**
 * Lets a server accept WebSocket connections. Each opening handshake goes through the application as a GET request, and
 * becomes a WebSocket if the application calls `acceptWebSocket`.
 *
 * A server can be attached to several applications. Each gets the handshakes that those before it answer with 404.
 *
 * @param options all of them have defaults. An application, `(req, res) => …`, can be given instead; by default, handshakes
 *   are emitted as `request` events of the server.
 * @throws TypeError if an option is wrong
 * @throws Error if the server is already attached to this application, or, for `node:http2`, to any
 */
export function attach<Attached extends HttpServer>(
  server: Attached,
  options?: AttachOptions | Without<AttachOptions, DispatchOf<Attached>>
): Attachment
/**
 * Lets a server accept WebSocket connections. Each opening handshake goes to `dispatch`, and becomes a WebSocket if the
 * application calls `acceptWebSocket`.
 *
 * @param dispatch the application, `(req, res) => …`
 * @param options by default, all options have their defaults
 * @throws TypeError if an option is wrong
 * @throws Error if the server is already attached to this application, or, for `node:http2`, to any
 */
export function attach<Attached extends HttpServer>(
  server: Attached,
  dispatch: DispatchOf<Attached> | undefined,
  options: AttachOptions | undefined
): Attachment
/**
 * Lets a server accept WebSocket connections, for an adapter.
 *
 * @param dispatch the application; if it is undefined, handshakes are emitted as `request` events of the server
 * @param adapter what the adapter does instead of core
 * @throws TypeError if an option is wrong
 * @throws Error if the server is already attached to this application, or, for `node:http2`, to any
 */
export function attach(
  server: HttpServer,
  dispatch: Dispatch | undefined,
  options: AttachOptions | undefined,
  adapter: AdapterTraits | undefined
): Attachment
export function attach(anyServer: HttpServer, ...rest: readonly unknown[]): Attachment {
  if (!isServer(anyServer)) throw notServer(anyServer)
  const server = anyServer as Server
  const { given, options = {}, adapter } = readArguments(rest)
  const owner = ownerOf(server)
  if (owner !== undefined && owner !== copy) return owner.attach(server, given, options, adapter)
  const dispatch: Dispatch = given ?? ((req, res) => server.emit('request', req, res))
  // What the attachment is for: one application, or whatever listens for `request` on the server.
  const application = given ?? server
  const resolved = checking('attach', () => resolveOptions(options, publishFault, adapter), attach)
  if (attachmentTo(server, application) !== undefined) {
    const whom = given === undefined ? '' : ' to this listener'
    throw new Error(`attach: this server is already attached${whom}; call detach() on that attachment first`)
  }
  if (countAttachments(server) > 0 && isHttp2(anyServer)) {
    throw new Error(
      'attach: a node:http2 server can be attached to one listener only, and already has one. Dispatch to both ' +
        'applications from one listener, or call detach() on that attachment first'
    )
  }
  let draining: Promise<DrainResult> | undefined
  const drainOnce = (drainOptions?: DrainOptions): Promise<DrainResult> => {
    if (draining === undefined) {
      draining = drain(connections, resolveDrainOptions(drainOptions))
      isAhead = !server.listening && !connections.isOccupied
    }
    return draining
  }
  // A server emits `close` when its last connection has ended, or at once if its connections are handed to it.
  const onClose = (): void => {
    if (!connections.isOccupied) {
      reopen()
      return
    }
    void drainOnce()
  }
  // A drain that starts before the server listens stays in effect when it does.
  let isAhead = false
  const onListening = (): void => {
    if (!isAhead) reopen()
  }
  // A server that was closed may listen again. Then it accepts handshakes again.
  const reopen = (): void => {
    draining = undefined
    connections.stopDraining()
  }
  const timers = new Timers()
  const watch = new ClosingWatch(server, () => void drainOnce(), timers)
  const connections = new Connections(resolved, timers, watch)
  const receiver = { dispatch, options: resolved, connections, copy }
  const stopListening = [
    listenHttp1(server, receiver),
    ...(isHttp2(anyServer) ? [listenHttp2(anyServer, receiver)] : [])
  ]
  server.on('close', onClose)
  server.on('listening', onListening)

  const attachment: Attachment = {
    connections: connections.open,
    connectionsOf: (key) => {
      checkKey(key, 'connectionsOf')
      return connections.withKey(key)
    },
    revoke: (key, code = unauthorizedCode, reason = 'credential revoked') => {
      checkRevocation(key, code, reason)
      return connections.revoke(key, code, reason)
    },
    drain: async (drainOptions) => {
      checkDrainOptions(drainOptions, 'drain')
      return drainOnce(drainOptions)
    },
    stats: () =>
      connections.stats.read({
        open: connections.open.size,
        httpClients: connections.http.size,
        pending: connections.underWay,
        draining: connections.draining
      }),
    detach: () => {
      if (attachmentTo(server, application) !== attachment) return
      unregister(server, application)
      server.off('close', onClose)
      server.off('listening', onListening)
      for (const stop of stopListening) stop()
    }
  }
  joinCopies(copy)
  noteInternals(attachment, receiver)
  register(server, application, attachment, copy)
  return attachment
}

/** Applications of Express and Koa have `on` and `listen` too. */
const isServer = (value: Partial<HttpServer> | null | undefined): boolean =>
  typeof value === 'object' && typeof value?.on === 'function' && typeof value.close === 'function'

function notServer(value: unknown): TypeError {
  const { use, server } = (value ?? {}) as { use?: unknown; server?: Partial<HttpServer> }
  const isApplication = typeof use === 'function' || typeof server?.on === 'function'
  const got = isApplication ? 'an application: pass the server that it runs on' : show(value)
  return new TypeError(`attach: expected a server of node:http, node:https or node:http2; got ${got}`)
}

/** This copy of core, as the other copies in the process see it. */
const copy: Copy = {
  ...calls,
  attach: (server, dispatch, options, adapter) =>
    attach(server as HttpServer, dispatch as Dispatch, options, adapter as AdapterTraits)
}

/** An application for this type of server. */
export type DispatchOf<Attached extends HttpServer> = Attached extends Http2Server | Http2SecureServer
  ? Http2Dispatch
  : Dispatch

interface Given {
  readonly given?: Dispatch | undefined
  readonly options?: AttachOptions | undefined
  readonly adapter?: AdapterTraits | undefined
}

/** Distinguishes `(options)` from `(dispatch, options, adapter)`. */
function readArguments([first, second, adapter]: readonly unknown[]): Given {
  if (first === undefined || typeof first === 'function') {
    return { given: first as Dispatch, options: second as AttachOptions, adapter: adapter as AdapterTraits }
  }
  if (typeof first === 'object' && first !== null && second === undefined) return { options: first }
  throw new TypeError(`attach: expected a listener (req, res) => … or options; got ${show(first)}`)
}
