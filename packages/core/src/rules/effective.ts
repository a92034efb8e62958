import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'

/** Where the client sent its request: as trusted proxies report it, otherwise as in the request itself. */
export interface EffectiveRequest {
  /** The host as the client wrote it, with the port if there is one: `app.example:8443`. */
  readonly host?: string | undefined
  /** The scheme of the client's connection; undefined if nothing trustworthy reports it. */
  readonly scheme?: 'http' | 'https' | undefined
  /** The address of the client, for `maxConnectionsPerAddress`. */
  readonly address?: string | undefined
}

/**
 * The effective request if no proxy is trusted. The scheme of a connection without TLS is unknown, because a proxy may
 * have terminated TLS.
 */
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

  /** A getter, because only some limits need the address, and asking the operating system for it takes time. */
  get address(): string | undefined {
    return this.#req.socket.remoteAddress
  }
}

/** What a framework believes about a request, according to its own settings for proxies. For adapters. */
export interface FrameworkRequest {
  /** The host as the client wrote it, with the port if there is one. */
  readonly host?: string | undefined
  /** The scheme of the client's connection: `https` or `http`. Some proxies, such as Traefik, forward `wss` or `ws`. */
  readonly protocol: string
  /**
   * Whether a trusted proxy reported the scheme. Otherwise the scheme of a connection without TLS is unknown, because a
   * proxy may have terminated TLS.
   */
  readonly isForwarded: boolean
  /** The client's address. If this throws, as an application's own trust function may, the address is unknown. */
  address(): string | undefined
}

/** The effective request that a framework reports. `address()` is called only when a limit needs it. */
export const effectiveOf = (request: FrameworkRequest): EffectiveRequest => new ReportedRequest(request)

class ReportedRequest implements EffectiveRequest {
  readonly host: string | undefined
  readonly scheme: 'http' | 'https' | undefined
  readonly #request: FrameworkRequest

  constructor(request: FrameworkRequest) {
    const { host, protocol, isForwarded } = request
    this.host = host
    this.scheme = protocol === 'https' || protocol === 'wss' ? 'https' : isForwarded ? 'http' : undefined
    this.#request = request
  }

  get address(): string | undefined {
    try {
      return this.#request.address()
    } catch {
      return 'unknown'
    }
  }
}
