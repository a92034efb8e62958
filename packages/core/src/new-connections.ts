import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import type { HttpServer } from './attachment.ts'
import { serverOf } from './node.ts'

/**
 * Calls the listener with the server of each new connection in the process, for adapters whose framework does not tell
 * on which servers it runs.
 *
 * Node publishes the connection on a diagnostics channel before it parses the first byte. So even if a handshake is the
 * first request, its server is attached in time, and nothing has to be patched. Bun (1.4) does not have this channel, so
 * it never calls the listener. https://nodejs.org/api/diagnostics_channel.html#net
 */
export function onNewConnection(listener: (server: HttpServer) => void): void {
  subscribe('net.server.socket', (message) => {
    const server = serverOf((message as { socket: Socket }).socket)
    if (server !== undefined) listener(server)
  })
}
