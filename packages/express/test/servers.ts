import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { connectClient, type Inbox, openRaw, type Target } from '@oneport/test-kit'
import type { Application } from 'express'
import type { WebSocket } from '../src/index.ts'

/** Whatever the tests of one file open is closed after each of them. */
export interface Servers {
  /** Listens on a free port, with an application or with a server around one. */
  serve(app: Application | Server): Promise<Served>
  /** Connects a `ws` client. Rejects with the response if the handshake is refused. */
  connect(...args: Parameters<typeof connectClient>): Promise<Inbox>
  open(target: Target): Promise<Socket>
}

export interface Served extends Target {
  readonly server: Server
}

/** Call this once per file or `describe`. */
export function useServers(): Servers {
  let servers: Server[] = []
  let clients: WebSocket[] = []
  let raws: Socket[] = []

  afterEach(async () => {
    for (const client of clients) client.terminate()
    for (const raw of raws) raw.destroy()
    await Promise.all(servers.map(close))
    servers = []
    clients = []
    raws = []
  })

  return {
    serve: async (app) => {
      const server = app.listen(0, '127.0.0.1') as Server
      servers.push(server)
      await once(server, 'listening')
      return { server, port: (server.address() as AddressInfo).port, tls: 'setSecureContext' in server }
    },
    connect: async (...args) => {
      const client = await connectClient(...args)
      clients.push(client.socket)
      return client
    },
    open: async (target) => {
      const raw = await openRaw(target)
      raws.push(raw)
      return raw
    }
  }
}

/** Closes a server. Resolves when its last connection has ended. */
export async function close(server: Server): Promise<void> {
  if (!server.listening) return
  const ended = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await ended
}

/** An endpoint handler that echoes. */
export const echo = (socket: WebSocket): void => {
  socket.on('message', (data) => socket.send(String(data)))
}

/** An endpoint handler that sends one message. */
export const say =
  (text: string) =>
  (socket: WebSocket): void =>
    socket.send(text)

/** Sends a message and returns the next one received. */
export async function ask({ socket, next }: Inbox, message: string): Promise<string> {
  socket.send(message)
  return next()
}
