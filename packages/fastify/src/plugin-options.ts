import type { AttachOptions, DrainOptions } from '@oneport/core'
import { checkDrainOptions, show } from '@oneport/core/adapter'
import type { preCloseAsyncHookHandler, preCloseHookHandler } from 'fastify'
import type { ErrorHandler } from './former-behaviour.ts'
import type { WebSocketServerOptions } from './former-options.ts'

/** Options of the plugin: the defaults of all endpoints, and what concerns the server as a whole. */
export interface WsPluginOptions extends Omit<AttachOptions, 'effectiveRequest'> {
  /**
   * How `app.close()` closes the open connections.
   * @default { code: 1001, reason: '', spreadMs: 0, deadlineMs: 5_000 }
   */
  drain?: DrainOptions | undefined
  /**
   * Called first when the app closes, to close the connections in your own way; `drain` sees to those that it
   * leaves open. `this` is the Fastify instance.
   * @default none
   */
  preClose?: preCloseHookHandler | preCloseAsyncHookHandler | undefined
  /**
   * Takes what a connection's handler throws or rejects with, and the errors of its socket. It ends the connection
   * itself, if it wants that. `this` is the Fastify instance of the route. Request and reply are kept for as long as the
   * connection is open.
   * @default `onError`, and the connection is closed with 1011
   */
  errorHandler?: ErrorHandler | undefined
  /**
   * Options of `ws` under its own names, as `@fastify/websocket` takes them; those that make no sense here throw.
   * @default none
   */
  options?: WebSocketServerOptions | undefined
  /**
   * `'@fastify/websocket'` brings back what that plugin does otherwise, for applications that rely on it; the log says
   * what it costs. What other options set still holds.
   * @default none
   */
  compatibility?: '@fastify/websocket' | undefined
}

/** {@link WsPluginOptions}, checked, in two parts. */
export interface SplitOptions {
  readonly forCore: AttachOptions
  readonly forPlugin: Pick<WsPluginOptions, 'drain' | 'preClose' | 'errorHandler' | 'options' | 'compatibility'>
}

/** Options that come in the same object: Fastify's own of a plugin, and one that `@fastify/websocket` ignores. */
type Others = { logLevel?: unknown; logSerializers?: unknown; prefix?: unknown; handle?: unknown }

/**
 * Splits the options into those of core and the plugin's own.
 * @throws TypeError for a wrong one of the plugin's own
 */
export function splitOptions(given: WsPluginOptions & Others): SplitOptions {
  refuseOwned(given)
  const { logLevel: _logLevel, logSerializers: _logSerializers, prefix: _prefix, handle: _handle, ...known } = given
  const { drain, preClose, errorHandler, options, compatibility, ...forCore } = known
  checkDrainOptions(drain)
  for (const [name, value] of Object.entries({ preClose, errorHandler })) {
    if (value === undefined || typeof value === 'function') continue
    throw new TypeError(`${name}: expected a function; got ${show(value)}`)
  }
  if (options !== undefined && (typeof options !== 'object' || options === null)) {
    throw new TypeError(`options: expected an object with options of ws; got ${show(options)}`)
  }
  if (compatibility !== undefined && compatibility !== '@fastify/websocket') {
    throw new TypeError(`compatibility: expected '@fastify/websocket'; got ${show(compatibility)}`)
  }
  return { forCore, forPlugin: { drain, preClose, errorHandler, options, compatibility } }
}

function refuseOwned(options: object): void {
  if (!('effectiveRequest' in options)) return
  throw new TypeError("effectiveRequest: Fastify's option 'trustProxy' decides whose word counts; set that instead")
}
