import { once } from 'node:events'
import { acceptHandshake, attach } from '@oneport/core'
import { isPrintable } from '@oneport/core/adapter'
import restify from 'restify'
import { answerTo, setFields } from './answer.mjs'

export const serve = subjectOf(restify)

export const differences = {
  "HTTP/1.1: gives a handshake a response of the server's own class": 'restify creates the server'
}

/** The application for a version of restify. */
export function subjectOf({ createServer }) {
  return async ({ before, endpoints, fields, lateFields, options, pages, serverOptions, tls }) => {
    const server = createServer(tls ? { httpsServerOptions: serverOptions } : {})
    server.server.removeAllListeners('upgrade')
    const attachment = attach(server.server, options)
    server.pre((_req, res, next) => {
      setFields(res, fields)
      res.once('header', () => setFields(res, lateFields))
      next()
    })
    server.pre((req, res, next) => void before(req, res).then(() => next(), next))
    server.on('restifyError', (_req, res, error, callback) => {
      const { headers, message } = answerTo(error)
      setFields(res, headers)
      if (isPrintable(error)) Object.assign(error, { toJSON: () => ({ message }) })
      callback()
    })
    for (const { path, text } of pages) {
      for (const method of ['get', 'post']) server[method](path, async (_req, res) => void res.sendRaw(200, text))
    }
    for (const { path, options, handler } of endpoints) {
      server.get(path, async (req, res) => {
        await acceptHandshake(req, res, options, handler)
      })
    }
    server.listen(0, '127.0.0.1')
    await once(server.server, 'listening')
    return { server: server.server, drain: () => attachment.drain() }
  }
}
