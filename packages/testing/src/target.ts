import { connect as connectTcp } from 'node:net'
import type { Duplex } from 'node:stream'
import { memoryAddress } from './memory.ts'
import type { ResolvedOptions } from './options.ts'
import {
  connectInMemory,
  type HttpServer,
  isHttp2,
  isSecure,
  type Listener,
  listen,
  serverOf,
  takesMemory
} from './server.ts'
import { showValue } from './show.ts'
import { overdue, within } from './wait.ts'

/** The part of a Fastify instance that is used. */
export interface FastifyLike {
  /** The Node server of the instance. */
  readonly server: HttpServer
  /** Resolves when the plugins are loaded. */
  ready(): PromiseLike<unknown>
}

/** The part of a Koa application that is used. */
export interface KoaLike {
  /** Returns the request listener of the application. */
  callback(): Listener
}

/**
 * What to connect to: an Express application or any other request listener, a Koa application, a Fastify instance, a
 * server of `node:http`, `node:https` or `node:http2`, or a URL with `ws:`, `wss:`, `http:` or `https:`.
 */
export type Target = Listener | KoaLike | FastifyLike | HttpServer | URL | string

/** How to reach a target. */
export interface Way {
  /** The URL of the handshake, with `ws:` or `wss:`. */
  readonly url: URL
  readonly http2: boolean
  /** Whether to verify the certificate by default. */
  readonly verifies: boolean
  /** The name of the server in its certificate. */
  readonly name: string
  connect(): Duplex
  /** A connection that the network refuses, instead of one to the server; undefined if it lets the handshake pass. */
  refusal?(): Duplex | undefined
  /** Called when the handshake is accepted. */
  opened?(): void
  /** Called when the connection has ended. */
  release(): void
}

/**
 * Finds out how to reach a target. Waits until it is ready, and makes it listen if the options ask for a port.
 * @throws TypeError for an invalid target or path
 */
async function wayTo(call: string, target: Target, path: string | undefined, options: ResolvedOptions): Promise<Way> {
  if (typeof target === 'string' || target instanceof URL) return overNetwork(call, target, path, options)
  const server = await findServer(call, target)
  const scheme = isSecure(server) ? 'wss' : 'ws'
  const common = { http2: options.http2 ?? isHttp2(server), verifies: false, name: 'localhost' }
  if (!options.port && takesMemory(server)) {
    const url = urlOf(call, `${scheme}://${memoryAddress}`, path)
    return { ...common, url, connect: () => connectInMemory(server), release: () => {} }
  }
  const { host, connect, release } = await listen(server)
  return { ...common, url: urlOf(call, `${scheme}://${host}`, path), connect, release }
}

/**
 * Like `wayTo`, with a time limit.
 * @throws Error if the application is not ready in time
 */
export async function reach(
  call: string,
  target: Target,
  path: string | undefined,
  options: ResolvedOptions
): Promise<Way> {
  const search = wayTo(call, target, path, options)
  const way = await within(options.timeoutMs, search)
  if (way !== overdue) return way
  void search.then(
    ({ release }) => release(),
    () => {}
  )
  throw new Error(`${call}: the application was not ready within ${options.timeoutMs} ms`)
}

async function findServer(call: string, target: Listener | KoaLike | FastifyLike | HttpServer): Promise<HttpServer> {
  if (typeof target === 'function') return serverOf(target, () => target)
  if (typeof (target as Partial<KoaLike> | null)?.callback === 'function') {
    return serverOf(target, () => (target as KoaLike).callback())
  }
  if (typeof (target as Partial<FastifyLike> | null)?.ready === 'function') {
    await (target as FastifyLike).ready()
    return (target as FastifyLike).server
  }
  if (typeof (target as Partial<HttpServer> | null)?.listen === 'function') return target as HttpServer
  throw new TypeError(
    `${call}: expected an Express or Koa application, a Fastify instance, a server or a URL; got ${showValue(target)}`
  )
}

function overNetwork(call: string, target: URL | string, path: string | undefined, options: ResolvedOptions): Way {
  const base = readUrl(target)
  if (base === undefined || !/^(?:ws|http)s?:$/.test(base.protocol)) {
    const got = typeof target === 'string' ? showValue(target) : target.href
    throw new TypeError(`${call}: expected a URL with ws:, wss:, http: or https:; got ${got}`)
  }
  base.protocol = base.protocol.replace('http', 'ws')
  const url = path === undefined ? base : urlOf(call, `${base.protocol}//${base.host}`, path)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = Number(url.port === '' ? (url.protocol === 'wss:' ? 443 : 80) : url.port)
  return {
    url,
    http2: options.http2 ?? false,
    verifies: true,
    name: host,
    connect: () => connectTcp({ host, port }),
    release: () => {}
  }
}

function readUrl(target: URL | string): URL | undefined {
  try {
    return new URL(target)
  } catch {
    return undefined
  }
}

/** @throws TypeError for an invalid path */
export function urlOf(call: string, base: string, path = '/'): URL {
  if (typeof path !== 'string' || !path.startsWith('/')) {
    throw new TypeError(`${call}: path: expected a string that starts with '/'; got ${showValue(path)}`)
  }
  return new URL(base + path)
}
