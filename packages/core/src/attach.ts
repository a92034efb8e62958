import type { Server } from 'node:http'
import type { Http2SecureServer, Http2Server } from 'node:http2'
import type { Server as HttpsServer } from 'node:https'
import type { Attachment, Dispatch, Http2Dispatch, HttpServer } from './attachment.ts'
import { calls } from './copy.ts'
import { ClosingWatch } from './life/closing-watch.ts'
import { Connections } from './life/connections.ts'
import { checkDrainOptions, type DrainOptions, type DrainResult, drain, resolveDrainOptions } from './life/drain.ts'
import { Timers } from './life/timers.ts'
import { checking } from './options/checks.ts'
import { type AdapterTraits, type AttachOptions, resolveOptions } from './options/server.ts'
import { attachmentTo, type Copy, countAttachments, joinCopies, ownerOf, register, unregister } from './registry.ts'
import { publishFault } from './reports/stats.ts'
import { checkKey, checkRevocation, unauthorizedCode } from './rules/credential.ts'
import { show } from './show.ts'
import { listenHttp1 } from './transport/http1.ts'
import { isHttp2, listenHttp2 } from './transport/http2.ts'

/**
 * Lets a server take WebSocket connections: each opening handshake goes through the application as the GET request that it
 * is, and becomes a WebSocket where the application calls `acceptWebSocket`.
 *
 * @param dispatch the application, where handshakes are not to go through the server's own event `request`, as by default:
 *   `(req, res) => …`
 * @param options left out, every default holds
 * @param adapter for adapters: what they do in place of core
 * @throws TypeError for wrong options
 * @throws Error where the server is attached to this application already. To another one it may be: that gets the
 *   handshakes which the first one answers 404. On a server of `node:http2`, where it is attached to any listener.
 */
export function attach(server: HttpServer, options?: AttachOptions): Attachment
export function attach(server: Server | HttpsServer, dispatch: Dispatch, options?: AttachOptions): Attachment
export function attach(
  server: Http2Server | Http2SecureServer,
  dispatch: Http2Dispatch,
  options?: AttachOptions
): Attachment
export function attach(
  server: HttpServer,
  dispatch: Dispatch | undefined,
  options: AttachOptions | undefined,
  adapter?: AdapterTraits
): Attachment
export function attach(anyServer: HttpServer, ...rest: readonly unknown[]): Attachment {
  if (typeof (anyServer as Partial<HttpServer> | undefined)?.on !== 'function') {
    throw new TypeError(`attach: expected a server of node:http, node:https or node:http2; got ${show(anyServer)}`)
  }
  const server = anyServer as Server
  const { given, options = {}, adapter } = readArguments(rest)
  const owner = ownerOf(server)
  if (owner !== undefined && owner !== copy) return owner.attach(server, given, options, adapter)
  const dispatch: Dispatch = given ?? ((req, res) => server.emit('request', req, res))
  // Whom the attachment is for: one application, or whatever listens for requests.
  const application = given ?? server
  const resolved = checking('attach', () => resolveOptions(options, publishFault, adapter), attach)
  if (attachmentTo(server, application) !== undefined) {
    const whom = given === undefined ? '' : ' to this listener'
    throw new Error(`attach: this server is attached${whom} already; call detach() of that attachment first`)
  }
  if (countAttachments(server) > 0 && isHttp2(anyServer)) {
    throw new Error(
      'attach: a server of node:http2 can be attached to one listener; it has one already. Dispatch to both applications ' +
        'from one listener, or call detach() of that attachment first'
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
  // A server says `close` when the last connection has ended. One that is handed its connections says it at once.
  const onClose = (): void => {
    if (!connections.isOccupied) {
      reopen()
      return
    }
    void drainOnce()
  }
  // A drain that was begun before the server listens is for when it does.
  let isAhead = false
  const onListening = (): void => {
    if (!isAhead) reopen()
  }
  // A server that was closed may listen again, and takes handshakes then.
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
      checking('connectionsOf', () => checkKey(key))
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
  register(server, application, attachment, copy)
  return attachment
}

/** This copy of core, for the others in the process. */
const copy: Copy = {
  ...calls,
  attach: (server, dispatch, options, adapter) =>
    attach(server as HttpServer, dispatch as Dispatch, options, adapter as AdapterTraits)
}

interface Given {
  readonly given?: Dispatch | undefined
  readonly options?: AttachOptions | undefined
  readonly adapter?: AdapterTraits | undefined
}

/** Tells `(options)` from `(dispatch, options, adapter)`. */
function readArguments([first, second, adapter]: readonly unknown[]): Given {
  if (first === undefined || typeof first === 'function') {
    return { given: first as Dispatch, options: second as AttachOptions, adapter: adapter as AdapterTraits }
  }
  if (typeof first === 'object' && first !== null && second === undefined) return { options: first }
  throw new TypeError(`attach: expected a listener (req, res) => … or options; got ${show(first)}`)
}
