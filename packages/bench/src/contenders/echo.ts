import type { WebSocket } from 'ws'

/** What the endpoint does with a socket of `ws` 8. */
export function echo(socket: WebSocket): void {
  socket.on('error', ignore)
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
}

function ignore(): void {}
