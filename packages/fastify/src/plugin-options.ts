import type { AttachOptions, DrainOptions } from '@oneport/core'
import { checkDrainOptions, checkOptions } from '@oneport/core/adapter'

/** Options of the plugin: defaults for all endpoints, and options for the whole server. */
export interface WsPluginOptions extends Omit<AttachOptions, 'effectiveRequest'> {
  /**
   * How `app.close()` closes the open connections.
   * @default { code: 1001, reason: '', spreadMs: 0, deadlineMs: 5_000 }
   */
  drain?: DrainOptions | undefined
}

/** Fastify's own options for a plugin, which are in the same object. */
type Others = { logLevel?: unknown; logSerializers?: unknown; prefix?: unknown }

/** {@link WsPluginOptions}, validated and split. */
interface SplitOptions {
  readonly forCore: AttachOptions
  readonly drain: DrainOptions | undefined
}

/**
 * Checks the options, and splits them into those of core and those of the plugin.
 * @param plugin the name of the plugin, for messages
 * @throws TypeError that names the plugin and the option, what it expects and what it got
 */
export function splitOptions(given: WsPluginOptions & Others, plugin: string): SplitOptions {
  if ('effectiveRequest' in given) {
    throw new TypeError(`${plugin}: effectiveRequest cannot be set here; use Fastify({ trustProxy }) to trust a proxy`)
  }
  const { logLevel: _logLevel, logSerializers: _logSerializers, prefix: _prefix, drain, ...forCore } = given
  checkDrainOptions(drain, `${plugin}: drain`)
  checkOptions(forCore, plugin, splitOptions, ['drain'])
  return { forCore, drain }
}
