import { channel } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Http2SecureServer, Http2Server } from 'node:http2'
import type { Server as HttpsServer } from 'node:https'
import { type AddressInfo, connect, type NetConnectOpts, type Socket } from 'node:net'
import { type TLSSocket, Server as TlsServer } from 'node:tls'
import { asServer } from './context.ts'
import { MemorySocket, memoryAddress } from './memory.ts'

/** A server of `node:http`, `node:https` or `node:http2`. */
export type HttpServer = Server | HttpsServer | Http2Server | Http2SecureServer

/** An Express application, or any other request listener. */
export type Listener = (req: IncomingMessage, res: ServerResponse) => unknown

/** The server of each application, so that all connections to an application share one server. */
const serversOf = new WeakMap<object, Server>()

/** @param listenerOf returns the request listener of the application. Called once for each application */
export function serverOf(app: object, listenerOf: () => Listener): Server {
  const server = serversOf.get(app) ?? createServer(listenerOf())
  serversOf.set(app, server)
  return server
}

export const isSecure = (server: HttpServer): boolean => server instanceof TlsServer

/** Only Node's HTTP/2 servers have this method. */
export const isHttp2 = (server: HttpServer): boolean => 'updateSettings' in server

/** Servers that set the addresses of TLS sockets in memory. */
const addressing = new WeakSet<HttpServer>()

/**
 * Whether a server supports connections in memory. HTTP/2 without TLS does not: Node (seen with 20.20) fails an
 * internal assertion if an HTTP/2 session on a Duplex ends while it is writing.
 */
export const takesMemory = (server: HttpServer): boolean => isSecure(server) || !isHttp2(server)

/**
 * Connects to a server in memory, whether it is listening or not.
 * https://nodejs.org/api/http.html#event-connection
 * @returns the client's end
 */
export function connectInMemory(server: HttpServer): MemorySocket {
  const ends = MemorySocket.pair()
  if (isSecure(server) && !addressing.has(server)) {
    addressing.add(server)
    server.prependListener('secureConnection', addAddress)
  }
  // Node publishes this for each connection of a listening server. @oneport/express uses it to find the server.
  // https://nodejs.org/api/diagnostics_channel.html#net
  asServer(() => {
    channel('net.server.socket').publish({ socket: Object.assign(ends.server, { server }) })
    server.emit('connection', ends.server)
  })
  return ends.client
}

/** Node asks the operating system for the addresses of a TLS socket, which does not know a socket in memory. */
function addAddress(socket: TLSSocket): void {
  if (socket.remoteAddress !== undefined) return
  Object.defineProperties(socket, {
    remoteAddress: { value: memoryAddress },
    remoteFamily: { value: 'IPv4' },
    localAddress: { value: memoryAddress }
  })
}

/** A listening server. */
export interface Listening {
  readonly host: string
  connect(): Socket
  /** Closes the server after its last connection, unless it was already listening. */
  release(): void
}

/** The servers that this module made listen, each with its number of connections. */
const opened = new WeakMap<HttpServer, { count: number; readonly listening: Promise<unknown> }>()

/** Makes a server listen on a free port of this machine, unless it is listening already. */
export async function listen(server: HttpServer): Promise<Listening> {
  const known = opened.get(server)
  if (known === undefined && server.listening) return listeningAt(server, () => {})
  const opening = known ?? { count: 0, listening: open(server) }
  opened.set(server, opening)
  opening.count += 1
  const release = (): void => {
    opening.count -= 1
    if (opening.count > 0) return
    opened.delete(server)
    server.off('connection', unref)
    server.close()
  }
  try {
    await opening.listening
  } catch (error) {
    release()
    throw error
  }
  return listeningAt(server, release)
}

/** As in memory, an open connection does not keep the process alive. */
function open(server: HttpServer): Promise<unknown> {
  server.prependListener('connection', unref)
  return asServer(() => once(server.listen(0, memoryAddress).unref(), 'listening'))
}

const unref = (socket: Socket): void => void socket.unref()

function listeningAt(server: HttpServer, release: () => void): Listening {
  const address = server.address() as AddressInfo | string
  if (typeof address === 'string') return listening('localhost', { path: address }, release)
  const host = ['::', '0.0.0.0'].includes(address.address) ? memoryAddress : address.address
  const shown = host.includes(':') ? `[${host}]` : host
  return listening(`${shown}:${address.port}`, { host, port: address.port }, release)
}

const listening = (host: string, options: NetConnectOpts, release: () => void): Listening => ({
  host,
  connect: () => connect(options).unref(),
  release
})
