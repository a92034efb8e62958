import { createServer } from 'node:http'
import { acceptWebSocket, wsUpgrade } from '@oneport/express'
import express from 'express'
import { echo, listen } from '../echo.cjs'

export function start() {
  const app = express()
  app.use(wsUpgrade())
  app.get('/chat', (req, res) => acceptWebSocket(req, res, echo))
  app.get('/refused', (_req, res) => res.status(429).send('plain'))
  app.get('/plain', (_req, res) => res.send('plain'))
  return listen(createServer(app))
}
