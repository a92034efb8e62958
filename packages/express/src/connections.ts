import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import type { HttpServer } from '@oneport/core'

/**
 * Calls the listener with the server of each new connection in the process.
 *
 * Node publishes the connection on a diagnostics channel before it parses the first byte. So even if a handshake is the
 * first request, its server is attached in time, and nothing has to be patched.
 * https://nodejs.org/api/diagnostics_channel.html#net
 */
export function onConnection(listener: (server: HttpServer) => void): void {
  subscribe('net.server.socket', (message) => {
    const server = serverOf((message as { socket: Socket }).socket)
    if (server !== undefined) listener(server)
  })
}

/** Bun (1.4) does not have this channel, so it never calls the listener. */
export const isBun = 'bun' in process.versions

/** The server of a connection, which Node stores in this property; undefined if no server has accepted the socket. */
export const serverOf = (socket: Socket): HttpServer | undefined => (socket as Socket & { server?: HttpServer }).server
