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

/** An Express application, or any other listener for requests. */
export type Listener = (req: IncomingMessage, res: ServerResponse) => unknown

/** The server of each application, so that all connections to it are those of one server. */
const serversOf = new WeakMap<Listener, Server>()

export function serverOf(listener: Listener): Server {
  const server = serversOf.get(listener) ?? createServer(listener)
  serversOf.set(listener, server)
  return server
}

export const isSecure = (server: HttpServer): boolean => server instanceof TlsServer

/** Node's servers of HTTP/2 have this method, and no others. */
export const isHttp2 = (server: HttpServer): boolean => 'updateSettings' in server

/** Servers whose TLS sockets get the address that they lack in memory. */
const addressing = new WeakSet<HttpServer>()

/**
 * Whether a server takes connections in memory. Node (seen with 20.20) fails an assertion of its own where a session of
 * HTTP/2 that stands on a Duplex ends while it writes; on TLS it does not.
 */
export const takesMemory = (server: HttpServer): boolean => isSecure(server) || !isHttp2(server)

/**
 * Gives a server a connection in memory; it need not listen.
 * https://nodejs.org/api/http.html#event-connection
 * @returns the client's end
 */
export function connectInMemory(server: HttpServer): MemorySocket {
  const ends = MemorySocket.pair()
  if (isSecure(server) && !addressing.has(server)) {
    addressing.add(server)
    server.prependListener('secureConnection', addAddress)
  }
  // What Node says of each connection of a server that listens: @oneport/express finds its server by it.
  // https://nodejs.org/api/diagnostics_channel.html#net
  asServer(() => {
    channel('net.server.socket').publish({ socket: Object.assign(ends.server, { server }) })
    server.emit('connection', ends.server)
  })
  return ends.client
}

/** Node asks the operating system for the peer of a TLS socket, which knows none of this one. */
function addAddress(socket: TLSSocket): void {
  if (socket.remoteAddress !== undefined) return
  Object.defineProperties(socket, {
    remoteAddress: { value: memoryAddress },
    remoteFamily: { value: 'IPv4' },
    localAddress: { value: memoryAddress }
  })
}

/** A server that listens. */
export interface Listening {
  readonly host: string
  connect(): Socket
  /** Closes the server where nobody else connects to it and it was not listening before. */
  release(): void
}

/** The servers that were told to listen here, each with the number of its connections. */
const opened = new WeakMap<HttpServer, { count: number; readonly listening: Promise<unknown> }>()

/** Lets a server listen on a free port of this machine; where it listens already, that is taken. */
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

/** As in memory, a connection that a test forgets does not keep the process alive. */
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
