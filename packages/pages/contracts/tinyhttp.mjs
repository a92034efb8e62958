import { once } from 'node:events'
import { acceptHandshake, attach } from '@oneport/core'
import { App } from '@tinyhttp/app'
import onHeaders from 'on-headers'
import { answerTo, setFields } from './answer.mjs'

export async function serve({ before, createServer, endpoints, fields, lateFields, options, pages }) {
  const app = new App({ onError, noMatchHandler: (_req, res) => res.sendStatus(404) })
  app.use((_req, res, next) => {
    setFields(res, fields)
    onHeaders(res, () => setFields(res, lateFields))
    next()
  })
  app.use((req, res, next) => void before(req, res).then(() => next(), next))
  for (const { path, text } of pages)
    app.get(path, (_req, res) => res.send(text)).post(path, (_req, res) => res.send(text))
  for (const { path, options, handler } of endpoints) {
    app.get(path, async (req, res) => acceptHandshake(req, res, options, handler))
  }
  const server = createServer(app.attach)
  const attachment = attach(server, options)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { server, drain: () => attachment.drain() }
}

function onError(error, _req, res) {
  const { status, headers, message } = answerTo(error)
  res.status(status).set(headers).send(message)
}
