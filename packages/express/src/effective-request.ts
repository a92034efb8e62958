import type { EffectiveRequest } from '@oneport/core'
import { effectiveOf } from '@oneport/core/adapter'
import type { Request } from 'express'

/**
 * The scheme and host in the client's URL, according to the setting `trust proxy` of the application; undefined if it
 * trusts no proxy, because the request itself has them then. `req.hostname` lacks the port, which is part of the
 * origin.
 */
export function effectiveRequest(req: Request): EffectiveRequest | undefined {
  if (!req.app.get('trust proxy')) return undefined
  const isTrusted = req.app.get('trust proxy fn') as (address: string | undefined, hop: number) => boolean
  const isProxied = isTrusted(req.socket.remoteAddress, 0)
  const forwardedHost = isProxied ? req.get('X-Forwarded-Host')?.split(',', 1)[0]?.trim() : undefined
  return effectiveOf({
    host: forwardedHost ?? req.get('Host'),
    protocol: req.protocol,
    isForwarded: isProxied && req.get('X-Forwarded-Proto') !== undefined,
    address: () => req.ip
  })
}

/** The client according to `trust proxy`; behind a proxy that is not trusted, the proxy. */
export function clientOf(req: Request): EffectiveRequest {
  const trusted = (req.app as Request['app'] | undefined) === undefined ? undefined : effectiveRequest(req)
  return trusted ?? new Peer(req)
}

/** The other end of the connection. A getter, because the system is asked for the address. */
class Peer implements EffectiveRequest {
  readonly #req: Request

  constructor(req: Request) {
    this.#req = req
  }

  get address(): string | undefined {
    return this.#req.socket.remoteAddress
  }
}
