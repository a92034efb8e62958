import { once } from 'node:events'
import { acceptHandshake, attach } from '@oneport/core'
import onHeaders from 'on-headers'
import polka from 'polka'
import { answerTo, setFields } from './answer.mjs'

export const serve = subjectOf(polka)

/** The application for a version of Polka. */
export function subjectOf(create) {
  return async ({ before, createServer, endpoints, fields, lateFields, options, pages }) => {
    const server = createServer()
    const attachment = attach(server, options)
    const app = create({ server, onError, onNoMatch: (_req, res) => res.writeHead(404).end() })
    app.use((_req, res, next) => {
      setFields(res, fields)
      onHeaders(res, () => setFields(res, lateFields))
      next()
    })
    app.use((req, res, next) => void before(req, res).then(() => next(), next))
    for (const { path, text } of pages)
      app.get(path, (_req, res) => res.end(text)).post(path, (_req, res) => res.end(text))
    for (const { path, options, handler } of endpoints) {
      app.get(path, (req, res, next) => acceptHandshake(req, res, options, handler).catch(next))
    }
    app.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return { server, drain: () => attachment.drain() }
  }
}

function onError(error, _req, res) {
  const { status, headers, message } = answerTo(error)
  res.statusCode = status
  setFields(res, headers)
  res.end(message)
}
