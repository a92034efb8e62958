import { createServer } from 'node:http'
import type { Server } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { echo } from './echo.ts'
import { answerPlain, chooseSubprotocol, isAllowed, listen, type Settings } from './endpoint.ts'
import { refuse } from './refuse.ts'

/** `ws` with `noServer`, as in its README. */
export async function start({ heartbeat }: Settings): Promise<Server> {
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: chooseSubprotocol })
  sockets.on('connection', echo)
  if (typeof heartbeat === 'number') sweep(sockets, heartbeat)

  const server = createServer(answerPlain)
  server.on('upgrade', (req, rawSocket, head) => {
    rawSocket.on('error', ignore)
    if (!isAllowed(req)) return refuse(rawSocket)
    rawSocket.removeListener('error', ignore)
    sockets.handleUpgrade(req, rawSocket, head, (socket) => sockets.emit('connection', socket, req))
  })
  return listen(server)
}

function ignore(): void {}

/** Pings all clients at once, as in the README of `ws`: the naive sweep. */
function sweep(sockets: WebSocketServer, intervalMs: number): void {
  const silent = new WeakSet<WebSocket>()
  sockets.on('connection', (socket) => socket.on('pong', () => silent.delete(socket)))
  setInterval(() => {
    for (const socket of sockets.clients) {
      if (silent.has(socket)) {
        socket.terminate()
      } else {
        silent.add(socket)
        socket.ping()
      }
    }
  }, intervalMs)
}
