import { once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { describeAdapter, fields } from '@oneport/adapter-testsuite'
import express5, { type Express } from 'express'
// @ts-expect-error Express 4 is installed under another name; its types would be those of Express 5
import express4 from 'express4'
import { acceptWebSocket, wsUpgrade } from '../src/index.ts'

const versions: [string, () => Express][] = [
  ['Express 5', express5],
  ['Express 4', express4 as () => Express]
]

for (const [name, express] of versions) {
  describeAdapter(name, async ({ routes, options, tls }) => {
    const app = express().set('env', 'test')
    const websockets = wsUpgrade(options)
    app.use((_req, res, next) => {
      for (const [field, value] of fields) res.setHeader(field, value)
      next()
    })
    app.use(websockets)
    app.all('/plain', (_req, res) => void res.send('plain'))
    for (const { path, before, endpoint, handler } of routes) {
      app.get(path, (req, _res, next) => void before(req).then(next, next))
      app.get(path, (req, res) => void acceptWebSocket(req, res, endpoint, handler))
    }
    const server = tls ? https.createServer(tls, app) : http.createServer(app)
    await once(server.listen(0, '127.0.0.1'), 'listening')
    return {
      port: (server.address() as AddressInfo).port,
      drain: () => websockets.drain(),
      close: () => Promise.all([websockets.drain(), server.listening && once(server.close(), 'close')])
    }
  })
}
