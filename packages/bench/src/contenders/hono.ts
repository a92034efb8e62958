import type { Server } from 'node:net'
import { attach, webSocket } from '@oneport/hono'
import { Hono } from 'hono'
import { echo } from './echo.ts'
import { path, plainPath, plainText, type Settings } from './endpoint.ts'
import { listenHono } from './hono-server.ts'
import { oneportOptions } from './oneport-options.ts'

/** Oneport's adapter for Hono. */
export async function start(settings: Settings): Promise<Server> {
  const app = new Hono()
  app.get(plainPath, (c) => c.text(plainText))
  app.get(path, webSocket(echo))
  return listenHono(app, (server) => attach(server, oneportOptions(settings)))
}
