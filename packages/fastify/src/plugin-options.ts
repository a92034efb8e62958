import type { AttachOptions, DrainOptions } from '@oneport/core'
import { checkDrainOptions, checkOptions } from '@oneport/core/adapter'

/** Options of the plugin: the defaults of all endpoints, and what concerns the server as a whole. */
export interface WsPluginOptions extends Omit<AttachOptions, 'effectiveRequest'> {
  /**
   * How `app.close()` closes the open connections.
   * @default { code: 1001, reason: '', spreadMs: 0, deadlineMs: 5_000 }
   */
  drain?: DrainOptions | undefined
}

/** Options that come in the same object: Fastify's own of a plugin. */
type Others = { logLevel?: unknown; logSerializers?: unknown; prefix?: unknown }

/** {@link WsPluginOptions}, checked, in two parts. */
interface SplitOptions {
  readonly forCore: AttachOptions
  readonly drain: DrainOptions | undefined
}

/**
 * Splits the options into those of core and the plugin's own.
 * @param plugin its name, for messages
 * @throws TypeError that names the plugin, the option, what was expected and what it got
 */
export function splitOptions(given: WsPluginOptions & Others, plugin: string): SplitOptions {
  if ('effectiveRequest' in given) {
    throw new TypeError(
      `${plugin}: effectiveRequest cannot be set here; use Fastify({ trustProxy }), which says what to believe of a proxy`
    )
  }
  const { logLevel: _logLevel, logSerializers: _logSerializers, prefix: _prefix, drain, ...forCore } = given
  checkDrainOptions(drain, `${plugin}: drain`)
  checkOptions(forCore, plugin, splitOptions, ['drain'])
  return { forCore, drain }
}
