import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'

/** What the client meant to reach: what trusted proxies say, else what the request itself says. */
export interface EffectiveRequest {
  /** Host and port as the client wrote them, e.g. `app.example:8443`. */
  readonly host?: string | undefined
  /** Scheme of the client's connection; undefined where nothing trustworthy tells. */
  readonly scheme?: 'http' | 'https' | undefined
  /** Address of the client, for `maxConnectionsPerAddress`. */
  readonly address?: string | undefined
}

/** The effective request where no proxy is trusted. The scheme of a plain connection is unknown: TLS may end before it. */
export const effectiveRequest = (req: IncomingMessage): EffectiveRequest => new DirectRequest(req)

class DirectRequest implements EffectiveRequest {
  readonly host: string | undefined
  readonly scheme: 'https' | undefined
  readonly #req: IncomingMessage

  constructor(req: IncomingMessage) {
    this.host = req.headers.host
    this.scheme = (req.socket as Partial<TLSSocket>).encrypted === true ? 'https' : undefined
    this.#req = req
  }

  /** Asking the operating system for it takes time, and few limits need it. */
  get address(): string | undefined {
    return this.#req.socket.remoteAddress
  }
}

/** What a framework believes of a request, after its own trust in proxies; for adapters. */
export interface FrameworkRequest {
  /** Host and port as the client wrote them. */
  readonly host?: string | undefined
  /** Scheme of the client's connection: `https`, `http`, or what some proxies forward, Traefik among them, `wss` and `ws`. */
  readonly protocol: string
  /** Whether a trusted proxy told the scheme. Otherwise that of a plain connection is unknown: TLS may end before it. */
  readonly isForwarded: boolean
  /** The client's address. It may throw, as an application's own trust function may: an unknown address then. */
  address(): string | undefined
}

/** The effective request as a framework tells it. The address is asked for where it is needed: few limits need it. */
export const effectiveOf = ({ host, protocol, isForwarded, address }: FrameworkRequest): EffectiveRequest => ({
  host,
  scheme: protocol === 'https' || protocol === 'wss' ? 'https' : isForwarded ? 'http' : undefined,
  get address() {
    try {
      return address()
    } catch {
      return 'unknown'
    }
  }
})
