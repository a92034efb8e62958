import { once } from 'node:events'
import { cases, type Subject } from '@oneport/adapter-testsuite'
import { describeOtherClients } from '@oneport/test-kit'
import onHeaders from 'on-headers'
import { acceptWebSocket, wsUpgrade } from '../src/index.ts'
import { versions } from './versions.ts'

describe.each(versions)('%s', (_name, express) => {
  const serve: Subject = async ({ before, createServer, endpoints, fields, lateFields, options, pages }) => {
    const app = express().set('env', 'test')
    const websockets = wsUpgrade(options)
    app.use((_req, res, next) => {
      res.set(fields)
      onHeaders(res, () => void res.set(lateFields))
      next()
    })
    app.use(websockets)
    app.use((req, res, next) => void before(req, res).then(() => next(), next))
    for (const { path, text } of pages) app.all(path, (_req, res) => void res.send(text))
    for (const { path, options, handler } of endpoints) {
      app.get(path, (req, res) => acceptWebSocket(req, res, options, handler))
    }
    const server = createServer(app)
    await once(server.listen(0, '127.0.0.1'), 'listening')
    return { server, drain: () => websockets.drain() }
  }

  for (const { name, run } of cases(serve)) test(name, run)
  describeOtherClients(serve)
})
