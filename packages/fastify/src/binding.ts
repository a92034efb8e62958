import type { EffectiveRequest, FrameworkBinding, HandshakeError } from '@oneport/core'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** Takes a refused handshake and its request. */
export type RefusalLog = (request: FastifyRequest, error: HandshakeError) => void

/** How Fastify takes part in a handshake; core writes the 101. */
export class RequestBinding implements FrameworkBinding {
  readonly requestId: string | undefined
  protected readonly reply: FastifyReply
  readonly #log: RefusalLog | undefined

  /** @param log left out where there is no logger: core writes to stderr then */
  constructor(reply: FastifyReply, log: RefusalLog | undefined) {
    // `genReqId` may give anything.
    const id: unknown = reply.request.id
    this.requestId = typeof id === 'string' || typeof id === 'number' ? String(id) : undefined
    this.reply = reply
    this.#log = log
  }

  /** The error handler logs or answers the refusal itself; here goes what only the operator may see. */
  get onRefused(): ((error: HandshakeError) => void) | undefined {
    const log = this.#log
    return log && ((error) => log(this.reply.request, error))
  }

  effectiveRequest(): EffectiveRequest {
    return new FastifyEffectiveRequest(this.reply.request)
  }
}

/** The same; the 101 is a reply, so that onSend hooks see it and the fields of `reply.header()` go onto it. */
export class ReplyBinding extends RequestBinding {
  /**
   * Where a hook fails, the error handler sends the next reply; one that leaves the status alone must not send 101.
   */
  send(): void {
    const { reply } = this
    const { send } = reply
    reply.send = (payload?: unknown) => {
      reply.send = send
      // Fastify itself sends nothing again for an async route that did not wait.
      if (payload !== undefined && reply.statusCode === 101 && !reply.raw.headersSent) reply.code(500)
      return reply.send(payload)
    }
    reply.code(101)
    Reflect.apply(send, reply, [])
  }
}

/** Scheme and host that the client meant to reach, after the server's setting `trustProxy`. */
export class FastifyEffectiveRequest implements EffectiveRequest {
  readonly host: string
  readonly scheme: EffectiveRequest['scheme']
  readonly #request: FastifyRequest

  constructor(request: FastifyRequest) {
    const { host, protocol, headers } = request
    // More than one address: a trusted proxy speaks. A plain connection that none speaks for may still have begun as TLS.
    const isForwarded =
      headers['x-forwarded-proto'] !== undefined && (unlessItThrows(() => request.ips, undefined)?.length ?? 0) > 1
    // Some proxies, Traefik among them, forward `wss` and `ws`.
    const isSecure = protocol === 'https' || (protocol as string) === 'wss'
    this.host = host
    this.scheme = isSecure ? 'https' : isForwarded ? 'http' : undefined
    this.#request = request
  }

  get address(): string {
    return unlessItThrows(() => this.#request.ip, 'unknown')
  }
}

/** The application's own `trustProxy` function may throw: it is asked about forwarded addresses, which may be anything. */
function unlessItThrows<Value>(read: () => Value, otherwise: Value): Value {
  try {
    return read()
  } catch {
    return otherwise
  }
}
