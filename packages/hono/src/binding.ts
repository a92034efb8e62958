import type { FrameworkBinding } from '@oneport/core/adapter'
import type { Context } from 'hono'

/** What core needs from Hono for a handshake. Hono knows no trusted proxies, so core's option `effectiveRequest` decides. */
export class ContextBinding implements FrameworkBinding {
  readonly attachHint =
    "Pass the server that serve() returns to attach() of '@oneport/hono': attach(serve({ fetch: app.fetch }))."
  readonly #c: Context

  constructor(c: Context) {
    this.#c = c
  }

  /** The ID that Hono's middleware `requestId` has set. */
  get requestId(): string | undefined {
    const id: unknown = this.#c.get('requestId')
    return typeof id === 'string' ? id : undefined
  }
}
