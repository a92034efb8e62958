import { Logger } from '@nestjs/common'
import type { EffectiveRequest, FaultContext, HandshakeError } from '@oneport/core'
import { asError, effectiveOf, type FrameworkBinding } from '@oneport/core/adapter'
import type { FrameworkRequest } from './framework.ts'

/** The logger of this package. */
export const logger = new Logger('OneportAdapter')

/** The default `onError`. What a client causes is only a warning. */
export function logFault(error: unknown, { phase }: FaultContext): void {
  const { message, stack } = asError(error)
  if (phase === 'protocol') logger.warn(`fault in a WebSocket connection (protocol): ${message}`)
  else logger.error(`fault in a WebSocket connection (${phase})`, stack)
}

/** What core needs from Nest for a handshake. */
export class RequestBinding implements FrameworkBinding, EffectiveRequest {
  readonly #request: FrameworkRequest

  constructor(request: FrameworkRequest) {
    this.#request = request
  }

  get requestId(): string | undefined {
    const { id } = this.#request
    return typeof id === 'string' || typeof id === 'number' ? String(id) : undefined
  }

  get attachHint(): string {
    return 'Call app.useWebSocketAdapter(new OneportAdapter(app)), before app.listen().'
  }

  trustHint(proxy: string): string {
    return this.#request.app === undefined
      ? `new FastifyAdapter({ trustProxy: '${proxy}' })`
      : `app.set('trust proxy', '${proxy}')`
  }

  logRefusal({ code, detail, message }: HandshakeError): void {
    if (detail !== undefined) logger.warn(`${code}: ${message}\n${detail}`)
  }

  effectiveRequest(): EffectiveRequest | undefined {
    return this.#request.app === undefined ? ofFastify(this.#request) : ofExpress(this.#request, this.#request.app)
  }

  /** The address of the client: all that is needed to count pending handshakes. */
  get address(): string | undefined {
    return this.effectiveRequest()?.address ?? this.#request.socket.remoteAddress
  }
}

/**
 * The host, scheme and address of the client, according to the setting `trust proxy` of Express; undefined if no proxy
 * is trusted, because the request itself has them then. `req.hostname` lacks the port, which is part of the origin.
 */
function ofExpress(request: FrameworkRequest, app: { get(setting: string): unknown }): EffectiveRequest | undefined {
  if (!app.get('trust proxy')) return undefined
  const isTrusted = app.get('trust proxy fn') as (address: string | undefined, hop: number) => boolean
  const isProxied = isTrusted(request.socket.remoteAddress, 0)
  const { headers } = request
  const forwardedHost = isProxied
    ? String(headers['x-forwarded-host'] ?? '')
        .split(',', 1)[0]
        ?.trim()
    : undefined
  return effectiveOf({
    host: forwardedHost || headers.host,
    protocol: request.protocol,
    isForwarded: isProxied && headers['x-forwarded-proto'] !== undefined,
    address: () => request.ip
  })
}

/** The host, scheme and address of the client, according to the setting `trustProxy` of Fastify. */
function ofFastify(request: FrameworkRequest): EffectiveRequest {
  const { host, protocol, headers } = request
  return effectiveOf({
    host,
    protocol,
    isForwarded: headers['x-forwarded-proto'] !== undefined && isProxied(request),
    address: () => request.ip
  })
}

/** Several addresses mean that a proxy is trusted. If the application's trust function throws, no proxy is. */
function isProxied(request: FrameworkRequest): boolean {
  try {
    return (request.ips?.length ?? 0) > 1
  } catch {
    return false
  }
}
