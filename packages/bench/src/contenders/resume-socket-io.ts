import { createServer } from 'node:http'
import type { Server } from 'node:net'
import { createAdapter } from '@socket.io/redis-streams-adapter'
import { createClient } from 'redis'
import { Server as SocketIo } from 'socket.io'
import { broadcastAsAsked, broadcastTextOf } from './broadcast.ts'
import { isAllowed, largeMessageDeflate, listen, type Settings } from './endpoint.ts'

let io: SocketIo
let closeRedis = async (): Promise<void> => {}

/** socket.io over WebSocket with connection state recovery, and its adapter for Redis streams where a store is shared. */
export async function start({ deflate = false, size = 256, redisUrl, port }: Settings): Promise<Server> {
  const server = createServer()
  io = new SocketIo(server, {
    transports: ['websocket'],
    connectionStateRecovery: {},
    allowRequest: (req, callback) => callback(null, isAllowed(req)),
    perMessageDeflate: deflate && largeMessageDeflate,
    ...(redisUrl !== undefined && { adapter: await connectAdapter(redisUrl) })
  })
  const text = broadcastTextOf(size)
  io.on('connection', (socket) => {
    if (!socket.recovered) socket.join(roomsOf(socket.handshake.auth))
    socket.on('echo', (asked: string) => broadcastAsAsked(asked, () => io.to('news').emit('message', text)))
    socket.on('publish', (room: string, message: string, done: () => void) => {
      io.to(room).emit('message', message)
      done()
    })
  })
  return listen(server, port)
}

export async function stop(): Promise<void> {
  await io.close()
  // The sessions that it has just written have to be there.
  await closeRedis()
}

async function connectAdapter(url: string): Promise<ReturnType<typeof createAdapter>> {
  // Without the timeout of node-redis 6: after that, the adapter would give up sessions, and throw where nobody catches it.
  const client = createClient({ url, commandOptions: { timeout: 0 } })
  client.on('error', () => {})
  await client.connect()
  closeRedis = () => client.close()
  return createAdapter(client)
}

/** The rooms that a client asks for when it connects. */
function roomsOf({ rooms }: { readonly [key: string]: unknown }): string[] {
  return Array.isArray(rooms) ? rooms.map(String) : ['news']
}
