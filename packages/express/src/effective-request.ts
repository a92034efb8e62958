import type { EffectiveRequest } from '@oneport/core'
import type { Request } from 'express'

/**
 * Scheme and host that the client meant to reach, after the application's setting `trust proxy`; undefined where that
 * trusts nobody, and the request itself says it. `req.hostname` would lose the port, which is a part of the origin.
 */
export function effectiveRequest(req: Request): EffectiveRequest | undefined {
  if (!req.app.get('trust proxy')) return undefined
  const isTrusted = req.app.get('trust proxy fn') as (address: string | undefined, hop: number) => boolean
  const trusted = isTrusted(req.socket.remoteAddress, 0)
  const forwardedHost = trusted ? req.get('X-Forwarded-Host')?.split(',', 1)[0]?.trim() : undefined
  const isForwarded = trusted && req.get('X-Forwarded-Proto') !== undefined
  // Some proxies, Traefik among them, forward `wss` and `ws`.
  const isSecure = req.secure || req.protocol === 'wss'
  return {
    host: forwardedHost ?? req.get('Host'),
    get address() {
      return addressOf(req)
    },
    scheme: isSecure ? 'https' : isForwarded ? 'http' : undefined
  }
}

/** The application's own `trust proxy` function may throw: it is asked about forwarded addresses, which may be anything. */
function addressOf(req: Request): string | undefined {
  try {
    return req.ip
  } catch {
    return 'unknown'
  }
}

/** Who the client is, after `trust proxy`; behind a proxy that is not trusted, that proxy. */
export function clientOf(req: Request): EffectiveRequest {
  const trusted = (req.app as Request['app'] | undefined) === undefined ? undefined : effectiveRequest(req)
  return trusted ?? { address: req.socket.remoteAddress }
}
