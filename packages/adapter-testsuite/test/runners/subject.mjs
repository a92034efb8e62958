import { once } from 'node:events'
import { acceptWebSocket, wsUpgrade } from '@oneport/express'
import express from 'express'
import onHeaders from 'on-headers'

/** @type {import('@oneport/adapter-testsuite').Subject} */
export async function serve({ before, createServer, endpoints, fields, lateFields, options, pages }) {
  const app = express().set('env', 'test')
  const websockets = wsUpgrade(options)
  app.use((_req, res, next) => {
    res.set(fields)
    onHeaders(res, () => res.set(lateFields))
    next()
  })
  app.use(websockets)
  app.use((req, res, next) => before(req, res).then(() => next(), next))
  for (const { path, text } of pages) app.all(path, (_req, res) => res.send(text))
  for (const { path, options, handler } of endpoints) {
    app.get(path, (req, res) => acceptWebSocket(req, res, options, handler))
  }
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, drain: () => websockets.drain() }
}
