import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** What this package uses of a request of Express or Fastify. */
export interface FrameworkRequest {
  /** Node's request, in Fastify. Express extends Node's request instead. */
  readonly raw?: IncomingMessage
  readonly headers: IncomingMessage['headers']
  readonly socket: Socket
  readonly protocol: string
  readonly ip: string | undefined
  /** Of Fastify: the addresses of the client and of trusted proxies. */
  readonly ips?: readonly string[]
  /** Of Fastify, and of middleware such as pino-http. */
  readonly id?: unknown
  /** Of Fastify: the host, from `X-Forwarded-Host` if the proxy is trusted. */
  readonly host?: string
  /** Of Express. */
  readonly app?: { get(setting: string): unknown }
}

/** What this package uses of a response of Express, or of a reply of Fastify. */
export interface FrameworkResponse {
  header?(name: string, value: string): unknown
  /** Of Express, and of Node's response, which middleware gets in Fastify. */
  setHeader?(name: string, value: string): unknown
  status(status: number): unknown
}

/** Continues with the next route or middleware, in Express. */
export type Next = (error?: unknown) => void

/** Node's request, which core knows. */
export const rawOf = (request: FrameworkRequest): IncomingMessage =>
  request.raw ?? (request as unknown as IncomingMessage)

/** What Express and its router set on requests, and what they set on responses. */
interface ExpressProperties {
  next?: unknown
  baseUrl?: unknown
  originalUrl?: unknown
  params?: unknown
  route?: unknown
  _parsedUrl?: unknown
}

/**
 * Gives a request and its response the properties that Express will set. Express gives both another prototype first, and
 * after that V8 makes a new hidden class for each property that is added, which takes 2 µs and a kilobyte.
 */
export function prepareForExpress(
  req: IncomingMessage & ExpressProperties,
  res: ServerResponse & { locals?: unknown }
) {
  req.next = undefined
  req.baseUrl = undefined
  req.originalUrl = undefined
  req.params = undefined
  req.route = undefined
  req._parsedUrl = undefined
  res.locals = undefined
}
