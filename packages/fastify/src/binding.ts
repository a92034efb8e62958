import type { EffectiveRequest, HandshakeError } from '@oneport/core'
import { effectiveOf, type FrameworkBinding } from '@oneport/core/adapter'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** Logs a refused handshake. */
export type RefusalLog = (reply: FastifyReply, error: HandshakeError) => void

/** What core needs from Fastify for a handshake. */
export class RequestBinding implements FrameworkBinding, EffectiveRequest {
  readonly requestId: string | undefined
  readonly #reply: FastifyReply
  readonly #log: RefusalLog | undefined

  /** @param log undefined if there is no logger; core writes to stderr then */
  constructor(reply: FastifyReply, log: RefusalLog | undefined) {
    // `genReqId` may return anything.
    const id: unknown = reply.request.id
    this.requestId = typeof id === 'string' || typeof id === 'number' ? String(id) : undefined
    this.#reply = reply
    this.#log = log
  }

  /** Logs the details that only the operator may see. The error handler answers the refusal, and may log it too. */
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

  /** The address of the client: all that is needed to count pending handshakes. */
  get address(): string | undefined {
    return addressOf(this.#reply.request)
  }
}

/** The host, scheme and address of the client, according to the setting `trustProxy` of the server. */
export function effectiveRequest(request: FastifyRequest): EffectiveRequest {
  const { host, protocol, headers } = request
  return effectiveOf({
    host,
    protocol,
    isForwarded: headers['x-forwarded-proto'] !== undefined && isProxied(request),
    address: () => request.ip
  })
}

/** The address of the client, according to `trustProxy`. If the application's trust function throws, it is unknown. */
function addressOf(request: FastifyRequest): string | undefined {
  try {
    return request.ip
  } catch {
    return 'unknown'
  }
}

/** Several addresses mean that a proxy is trusted. If the application's trust function throws, no proxy is. */
function isProxied(request: FastifyRequest): boolean {
  try {
    return (request.ips?.length ?? 0) > 1
  } catch {
    return false
  }
}
