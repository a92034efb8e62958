import { once } from 'node:events'
import http, { type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connectClient, type Inbox, type Target } from '@oneport/test-kit'
import type Koa from 'koa'
import type { WebSocket } from '../src/index.ts'

/** Whatever the tests of one file open is closed after each of them. */
export interface Servers {
  /** Listens on a free port, with an application or with a server around one. */
  serve(app: Pick<Koa, 'callback'> | Server): Promise<Served>
  /** Connects a `ws` client. Rejects with the response if the handshake is refused. */
  connect(...args: Parameters<typeof connectClient>): Promise<Inbox>
}

export interface Served extends Target {
  readonly server: Server
}

/** Call this once per file or `describe`. */
export function useServers(): Servers {
  let servers: Server[] = []
  let clients: WebSocket[] = []

  afterEach(async () => {
    for (const client of clients) client.terminate()
    await Promise.all(servers.map(close))
    servers = []
    clients = []
  })

  return {
    serve: async (app) => {
      const server = 'callback' in app ? http.createServer(app.callback()) : app
      servers.push(server)
      await once(server.listen(0, '127.0.0.1'), 'listening')
      const { port } = server.address() as AddressInfo
      return { server, port, tls: 'setSecureContext' in server }
    },
    connect: async (...args) => {
      const client = await connectClient(...args)
      clients.push(client.socket)
      return client
    }
  }
}

/** Closes a server. Resolves when its last connection has ended. */
export async function close(server: Server): Promise<void> {
  if (!server.listening) return
  const ended = once(server, 'close')
  server.close()
  server.closeAllConnections?.()
  await ended
}

/** An endpoint handler that echoes. */
export const echo = (socket: WebSocket): void => {
  socket.on('message', (data) => socket.send(String(data)))
}

/** Sends a message and returns the next one received. */
export async function ask({ socket, next }: Inbox, message: string): Promise<string> {
  socket.send(message)
  return next()
}

/** A request whose answer ends the connection. */
export const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n\r\n`
