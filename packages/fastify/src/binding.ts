import type { EffectiveRequest, HandshakeError } from '@oneport/core'
import { effectiveOf, type FrameworkBinding } from '@oneport/core/adapter'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** Takes a refused handshake and its reply. */
export type RefusalLog = (reply: FastifyReply, error: HandshakeError) => void

/** How Fastify takes part in a handshake; core writes the 101. */
export class RequestBinding implements FrameworkBinding {
  readonly requestId: string | undefined
  readonly #reply: FastifyReply
  readonly #log: RefusalLog | undefined

  /** @param log left out where there is no logger: core writes to stderr then */
  constructor(reply: FastifyReply, log: RefusalLog | undefined) {
    // `genReqId` may give anything.
    const id: unknown = reply.request.id
    this.requestId = typeof id === 'string' || typeof id === 'number' ? String(id) : undefined
    this.#reply = reply
    this.#log = log
  }

  /** The error handler logs or answers the refusal itself; here goes what only the operator may see. */
  get onRefused(): ((error: HandshakeError) => void) | undefined {
    const log = this.#log
    return log && ((error) => log(this.#reply, error))
  }

  get attachHint(): string {
    return 'Register wsPlugin with await app.register(wsPlugin), before the routes.'
  }

  trustHint(proxy: string): string {
    return `Fastify({ trustProxy: '${proxy}' })`
  }

  effectiveRequest(): EffectiveRequest {
    return effectiveRequest(this.#reply.request)
  }
}

/** Host, scheme and address of the client, after the server's setting `trustProxy`. */
export function effectiveRequest(request: FastifyRequest): EffectiveRequest {
  const { host, protocol, headers } = request
  return effectiveOf({
    host,
    protocol,
    isForwarded: headers['x-forwarded-proto'] !== undefined && isProxied(request),
    address: () => request.ip
  })
}

/** With more than one address, a trusted proxy speaks. The application's own trust function may throw: nobody speaks then. */
function isProxied(request: FastifyRequest): boolean {
  try {
    return (request.ips?.length ?? 0) > 1
  } catch {
    return false
  }
}
