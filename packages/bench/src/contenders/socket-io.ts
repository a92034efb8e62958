import { createServer } from 'node:http'
import type { Server } from 'node:net'
import { Server as SocketIo } from 'socket.io'
import { answerPlain, isAllowed, listen } from './endpoint.ts'

/** socket.io over its WebSocket transport. An echo is an event with a text. */
export async function start(): Promise<Server> {
  const server = createServer(answerPlain)
  const io = new SocketIo(server, { allowRequest: (req, callback) => callback(null, isAllowed(req)) })
  io.on('connection', (socket) => {
    socket.on('echo', (text: string) => socket.emit('echo', text))
  })
  return listen(server)
}
