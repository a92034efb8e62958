import type { TLSSocket } from 'node:tls'
import type { EffectiveRequest } from '@oneport/core'
import type { Request } from 'express'

/**
 * Scheme and host that the client meant to reach, after the application's setting `trust proxy`.
 * `req.hostname` would lose the port, which is a part of the origin.
 */
export function effectiveRequest(req: Request): EffectiveRequest {
  // Express would ask the operating system for the peer's address, which takes time, and then trust nobody.
  if (!req.app.get('trust proxy')) return new DirectRequest(req)
  const isTrusted = req.app.get('trust proxy fn') as (address: string | undefined, hop: number) => boolean
  const trusted = isTrusted(req.socket.remoteAddress, 0)
  const forwardedHost = trusted ? req.get('X-Forwarded-Host')?.split(',', 1)[0]?.trim() : undefined
  const isForwarded = trusted && req.get('X-Forwarded-Proto') !== undefined
  // Some proxies, Traefik among them, forward `wss` and `ws`.
  const isSecure = req.secure || req.protocol === 'wss'
  return {
    host: forwardedHost ?? req.get('Host'),
    get address() {
      return req.ip
    },
    scheme: isSecure ? 'https' : isForwarded ? 'http' : undefined
  }
}

class DirectRequest implements EffectiveRequest {
  readonly host: string | undefined
  readonly scheme: 'https' | undefined
  readonly #req: Request

  constructor(req: Request) {
    this.host = req.headers.host
    this.scheme = (req.socket as Partial<TLSSocket>).encrypted === true ? 'https' : undefined
    this.#req = req
  }

  get address(): string | undefined {
    return this.#req.ip
  }
}
