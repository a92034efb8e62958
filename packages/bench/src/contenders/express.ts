import { once } from 'node:events'
import type { Server } from 'node:net'
import { acceptWebSocket, HandshakeError, wsUpgrade } from '@oneport/express'
import express, { type ErrorRequestHandler } from 'express'
import { echo } from './echo.ts'
import { listening, path, plainPath, plainText, type Settings } from './endpoint.ts'
import { oneportOptions } from './oneport-options.ts'

/** Oneport's adapter for Express. */
export async function start(settings: Settings): Promise<Server> {
  const app = express()
  app.use(wsUpgrade(oneportOptions(settings)))
  app.get(plainPath, (_req, res) => res.send(plainText))
  app.get(path, (req, res) => acceptWebSocket(req, res, echo))
  app.use(answerError)
  const server = app.listen(listening.port, listening.host, listening.backlog)
  await once(server, 'listening')
  return server
}

/** Outside of tests, Express's own handler prints each error. */
const answerError: ErrorRequestHandler = (error, _req, res, next) => {
  if (error instanceof HandshakeError) res.status(error.status).set(error.headers).type('text').send(error.message)
  else next(error)
}
