import type { Server, Socket } from 'node:net'

/**
 * Keeps the connections of a server, to end them all. `closeAllConnections()` of Node leaves out those that have not
 * finished their TLS handshake, and servers of HTTP/2 do not have it.
 * https://nodejs.org/api/http.html#servercloseallconnections
 */
export function keepConnections(server: Server): { destroyAll(): void } {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return {
    destroyAll() {
      for (const socket of sockets) socket.destroy()
    }
  }
}
