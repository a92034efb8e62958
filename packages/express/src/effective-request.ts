import type { EffectiveRequest } from '@oneport/core'
import { effectiveOf } from '@oneport/core/adapter'
import type { Request } from 'express'

/**
 * Scheme and host that the client meant to reach, after the application's setting `trust proxy`; undefined where that
 * trusts nobody, and the request itself says it. `req.hostname` would lose the port, which is a part of the origin.
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

/** Who the client is, after `trust proxy`; behind a proxy that is not trusted, that proxy. */
export function clientOf(req: Request): EffectiveRequest {
  const trusted = (req.app as Request['app'] | undefined) === undefined ? undefined : effectiveRequest(req)
  return trusted ?? { address: req.socket.remoteAddress }
}
