import http, { type RequestListener, type Server, type ServerResponse } from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import type { Application } from './application.ts'
import { certificate } from './parts/certificate.ts'

/** A way for clients to reach an application. */
export interface Way {
  /** Its name, for those of cases. */
  readonly name: string
  /** The version that the client speaks. */
  readonly version: 'HTTP/1.1' | 'HTTP/2'
  /** Whether the server uses TLS. */
  readonly tls: boolean
  /** Whether the server speaks HTTP/2. */
  readonly http2: boolean
}

/** All five ways. Three of them need a framework that serves HTTP/2. */
export const ways: readonly Way[] = [
  { name: 'HTTP/1.1', version: 'HTTP/1.1', tls: false, http2: false },
  { name: 'HTTP/1.1 over TLS', version: 'HTTP/1.1', tls: true, http2: false },
  { name: 'HTTP/2', version: 'HTTP/2', tls: false, http2: true },
  { name: 'HTTP/2 over TLS', version: 'HTTP/2', tls: true, http2: true },
  { name: 'HTTP/1.1 over TLS beside HTTP/2', version: 'HTTP/1.1', tls: true, http2: true }
]

/** The part of an application that describes its server. */
export type ServerOfApplication = Pick<Application, 'tls' | 'http2' | 'serverOptions' | 'createServer'>

/**
 * Makes the part of an application that describes its server.
 * @param Response the server's response class over HTTP/1.1, if it is not Node's own
 */
export async function serverFor(
  { tls, http2: isHttp2 }: Way,
  Response?: typeof ServerResponse
): Promise<ServerOfApplication> {
  const serverOptions = {
    ...(tls ? await certificate() : {}),
    ...(tls && isHttp2 ? { allowHTTP1: true } : {}),
    ...(Response && { [isHttp2 ? 'Http1ServerResponse' : 'ServerResponse']: Response })
  }
  const create = (
    isHttp2 ? (tls ? http2.createSecureServer : http2.createServer) : (tls ? https : http).createServer
  ) as (options: object, listener?: RequestListener) => unknown
  return { tls, http2: isHttp2, serverOptions, createServer: (listener) => create(serverOptions, listener) as Server }
}
