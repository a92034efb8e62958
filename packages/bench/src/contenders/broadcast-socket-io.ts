import { createServer } from 'node:http'
import type { Server } from 'node:net'
import { Server as SocketIo } from 'socket.io'
import { broadcastAsAsked, broadcastText } from './broadcast.ts'
import { listen, perMessageDeflate, type Settings } from './endpoint.ts'

/** socket.io over its WebSocket transport. */
export async function start({ deflate = false }: Settings): Promise<Server> {
  const server = createServer()
  const io = new SocketIo(server, { perMessageDeflate: deflate && perMessageDeflate })
  io.on('connection', (socket) => {
    socket.on('echo', (text: string) => broadcastAsAsked(text, () => io.emit('news', broadcastText)))
  })
  return listen(server)
}
