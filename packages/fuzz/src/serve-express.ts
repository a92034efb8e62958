import { once } from 'node:events'
import { isWebSocketRequest } from '@oneport/core'
import { acceptWebSocket, wsUpgrade } from '@oneport/express'
import express from 'express'
import type { Application, Options } from './application.ts'
import { enter } from './books.ts'
import { endpoints } from './endpoints.ts'
import { routes } from './routes.ts'

export async function serveExpress(options: Options): Promise<Application> {
  const app = express()
  const upgrade = wsUpgrade(options)
  app.use((req, res, next) => {
    enter(req, res)
    next()
  })
  app.use(upgrade)
  for (const { path, serve } of routes) app.get(path, (_req, res) => serve(res))
  app.get('/plain', (_req, res) => void res.send('plain'))
  for (const { path, before, options: own, serve } of endpoints) {
    app.get(path, async (req, res) => {
      if (isWebSocketRequest(req)) await before()
      await acceptWebSocket(req, res, own, serve)
    })
  }
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, attachment: upgrade.attach(server) }
}
