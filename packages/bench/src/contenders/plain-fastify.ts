import type { Server } from 'node:net'
import Fastify from 'fastify'
import { listening, plainPath, plainText } from './endpoint.ts'

/** Fastify without WebSockets, for the HTTP tax. */
export async function start(): Promise<Server> {
  const app = Fastify()
  app.get(plainPath, async () => plainText)
  await app.listen(listening)
  return app.server
}
