import type { Server, Socket } from 'node:net'

/**
 * Keeps track of a server's connections so that they can all be destroyed. Node's `closeAllConnections()` leaves out those
 * that have not finished their TLS handshake, and HTTP/2 servers do not have it.
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
