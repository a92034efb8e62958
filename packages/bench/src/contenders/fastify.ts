import type { Server } from 'node:net'
import { wsPlugin } from '@oneport/fastify'
import Fastify from 'fastify'
import { echo } from './echo.ts'
import { listening, path, plainPath, plainText, type Settings } from './endpoint.ts'
import { oneportOptions } from './oneport-options.ts'

/** Oneport's adapter for Fastify. */
export async function start(settings: Settings): Promise<Server> {
  const app = Fastify()
  await app.register(wsPlugin, oneportOptions(settings))
  app.get(plainPath, async () => plainText)
  app.get(path, { websocket: true }, (socket) => echo(socket))
  await app.listen(listening)
  return app.server
}
