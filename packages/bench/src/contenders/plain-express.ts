import { once } from 'node:events'
import type { Server } from 'node:net'
import express from 'express'
import { listening, plainPath, plainText } from './endpoint.ts'

/** Express without WebSockets, for the HTTP tax. */
export async function start(): Promise<Server> {
  const app = express()
  app.get(plainPath, (_req, res) => res.send(plainText))
  const server = app.listen(listening.port, listening.host, listening.backlog)
  await once(server, 'listening')
  return server
}
