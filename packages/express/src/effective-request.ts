import type { EffectiveRequest } from '@oneport/core'
import type { Request } from 'express'

/**
 * Scheme and host that the client meant to reach, after the application's setting `trust proxy`.
 * `req.hostname` would lose the port, which is a part of the origin.
 */
export function effectiveRequest(req: Request): EffectiveRequest {
  const isTrusted = req.app.get('trust proxy fn') as (address: string | undefined, hop: number) => boolean
  const trusted = isTrusted(req.socket.remoteAddress, 0)
  const forwardedHost = trusted ? req.get('X-Forwarded-Host')?.split(',', 1)[0]?.trim() : undefined
  const schemeIsKnown = req.secure || (trusted && req.get('X-Forwarded-Proto') !== undefined)
  return {
    host: forwardedHost ?? req.get('Host'),
    scheme: schemeIsKnown ? (req.secure ? 'https' : 'http') : undefined
  }
}
