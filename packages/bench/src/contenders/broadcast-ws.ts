import { createServer } from 'node:http'
import type { Server } from 'node:net'
import { WebSocketServer } from 'ws'
import { broadcastAsAsked, broadcastText } from './broadcast.ts'
import { chooseSubprotocol, listen, perMessageDeflate, type Settings } from './endpoint.ts'

/** The loop from the README of `ws`. */
export async function start({ deflate }: Settings): Promise<Server> {
  const server = createServer()
  const sockets = new WebSocketServer({
    server,
    handleProtocols: chooseSubprotocol,
    perMessageDeflate: deflate && perMessageDeflate
  })
  sockets.on('connection', (socket) => {
    socket.on('error', () => {})
    socket.on('message', (data) =>
      broadcastAsAsked(String(data), () => {
        for (const client of sockets.clients) if (client.readyState === client.OPEN) client.send(broadcastText)
      })
    )
  })
  return listen(server)
}
