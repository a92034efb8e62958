import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import type { HttpServer } from '@oneport/core'

/**
 * Calls back with the server of each new connection of the process.
 *
 * Node names it on a diagnostics channel before it parses the first byte, so even a handshake that is the first request of
 * the process finds its server attached, and nothing has to be patched.
 * https://nodejs.org/api/diagnostics_channel.html#net
 */
export function onConnection(listener: (server: HttpServer) => void): void {
  subscribe('net.server.socket', (message) => {
    const server = serverOf((message as { socket: Socket }).socket)
    if (server !== undefined) listener(server)
  })
}

/** Bun (1.4) has no such channel: nothing is called back there. */
export const isBun = 'bun' in process.versions

/** The server of a connection, under Node's name for it; a socket that no server has accepted has none. */
export const serverOf = (socket: Socket): HttpServer | undefined => (socket as Socket & { server?: HttpServer }).server
