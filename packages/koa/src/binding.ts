import { type EffectiveRequest, HandshakeError } from '@oneport/core'
import { effectiveOf, type FrameworkBinding } from '@oneport/core/adapter'
import type { ExtendableContext } from 'koa'

/** What core needs from Koa for a handshake. */
export class KoaBinding implements FrameworkBinding {
  readonly #ctx: ExtendableContext

  constructor(ctx: ExtendableContext) {
    this.#ctx = ctx
  }

  /** Host, scheme and client address, according to the settings `proxy`, `proxyIpHeader` and `maxIpsCount`. */
  effectiveRequest(): EffectiveRequest {
    const ctx = this.#ctx
    return effectiveOf({
      host: ctx.host,
      protocol: ctx.protocol,
      isForwarded: ctx.app.proxy && ctx.get('X-Forwarded-Proto') !== '',
      address: () => ctx.ip
    })
  }

  /** The request ID that middleware such as koa-pino-logger has set. */
  get requestId(): string | undefined {
    const { id } = this.#ctx.req as { id?: unknown }
    return typeof id === 'string' || typeof id === 'number' ? String(id) : undefined
  }

  get attachHint(): string {
    return 'Add app.use(wsUpgrade()) to the application, before the routes.'
  }

  trustHint(): string {
    return 'app.proxy = true'
  }
}

/**
 * Marks a refusal as one whose message the client may see, whatever its status: Koa prints all other errors to stderr.
 * The message of a refusal is always written for the client, and core logs what the operator has to know.
 */
export const exposed = (error: unknown): unknown =>
  error instanceof HandshakeError ? Object.assign(error, { expose: true }) : error
