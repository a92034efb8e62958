import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import type { Hono } from 'hono'
import { listen } from './endpoint.ts'

/** Serves a Hono application on `node:http`. */
export function listenHono(app: Hono, prepare: (server: Server) => unknown): Promise<Server> {
  const server = createAdaptorServer({ fetch: app.fetch }) as Server
  prepare(server)
  return listen(server)
}
