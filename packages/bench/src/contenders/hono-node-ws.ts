import type { Server } from 'node:net'
import { createNodeWebSocket } from '@hono/node-ws'
import { Hono } from 'hono'
import { origin, path, plainPath, plainText } from './endpoint.ts'
import { listenHono } from './hono-server.ts'

/** The Hono team's helper. Middleware of the route checks the origin. */
export async function start(): Promise<Server> {
  const app = new Hono()
  const { injectWebSocket, upgradeWebSocket } = createNodeWebSocket({ app })
  app.get(plainPath, (c) => c.text(plainText))
  app.get(
    path,
    async (c, next) => (c.req.header('origin') === origin ? next() : c.text('Forbidden', 403)),
    upgradeWebSocket(() => ({ onMessage: ({ data }, socket) => socket.send(data as string) }))
  )
  return listenHono(app, injectWebSocket)
}
