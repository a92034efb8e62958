import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { fieldsWithCookies } from './cookies.ts'
import { Http2Connection } from './http2.ts'
import type { ResolvedOptions } from './options.ts'
import type { Way } from './target.ts'

/** The options of `ws` for a handshake. */
export interface HandshakeSettings {
  readonly headers: Record<string, string>
  readonly origin?: string
  readonly perMessageDeflate: boolean
}

/** @param url that of the handshake, which may name another host than the way */
export const settingsFor = (url: URL, way: Way, options: ResolvedOptions): HandshakeSettings => ({
  // Node accepts an array for a repeated field, but the types of `ws` do not.
  headers: fieldsWithCookies(way.url, options) as Record<string, string>,
  ...originFor(url, options),
  perMessageDeflate: options.perMessageDeflate
})

function originFor(url: URL, { origin, headers }: ResolvedOptions): { origin?: string } {
  if (origin === undefined) return {}
  if (origin !== 'same-origin') return { origin }
  const [, host = url.host] = Object.entries(headers).find(([name]) => name.toLowerCase() === 'host') ?? []
  return { origin: `${url.protocol === 'wss:' ? 'https' : 'http'}://${host}` }
}

/** Opens what carries a handshake: a connection, with TLS and HTTP/2 on top if the way needs them. */
export function openTransport(way: Way, options: ResolvedOptions): Duplex {
  const refusal = way.refusal?.()
  if (refusal !== undefined) return refusal
  const { http2, name, url, verifies } = way
  const isSecure = url.protocol === 'wss:'
  const raw = way.connect()
  const stream = isSecure
    ? connectTls({
        socket: raw,
        host: name,
        ...(isIP(name) === 0 && { servername: name }),
        ALPNProtocols: [http2 ? 'h2' : 'http/1.1'],
        rejectUnauthorized: verifies,
        ...options.tls
      })
    : raw
  return http2 ? new Http2Connection(stream, url.host, isSecure) : stream
}
