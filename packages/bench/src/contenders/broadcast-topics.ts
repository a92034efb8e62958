import { createServer } from 'node:http'
import type { Server } from 'node:net'
import { createTopics, type HistoryLimits } from '@oneport/topics'
import { WebSocketServer } from 'ws'
import { broadcastAsAsked, broadcastText } from './broadcast.ts'
import { chooseSubprotocol, listen, perMessageDeflate, type Settings } from './endpoint.ts'

/** The same server of `ws`, with topics. */
export async function start({ deflate }: Settings, history?: HistoryLimits): Promise<Server> {
  const server = createServer()
  const topics = createTopics({ history })
  const sockets = new WebSocketServer({
    server,
    handleProtocols: chooseSubprotocol,
    perMessageDeflate: deflate && perMessageDeflate
  })
  sockets.on('connection', (socket) => {
    socket.on('error', () => {})
    topics.subscribe(socket, 'news')
    socket.on('message', (data) => broadcastAsAsked(String(data), () => topics.publish('news', broadcastText)))
  })
  return listen(server)
}
