import { once } from 'node:events'
import Boom from '@hapi/boom'
import Hapi from '@hapi/hapi'
import { attach } from '@oneport/core'
import { agree, asError } from '@oneport/core/adapter'

// Node 25 and later give such a request to hapi, which closes connections with bodies that it has not read.
const isRead = Number(process.versions.node.split('.')[0]) < 25
export const differences = isRead
  ? {}
  : { 'a handshake with a body, whose further bytes are not frames': 'hapi closes' }

export async function serve({ before, createServer, endpoints, fields, lateFields, options, pages, tls }) {
  const listener = createServer()
  const server = Hapi.server({ listener, tls, autoListen: false, debug: false })
  const attachment = attach(listener, options)
  server.ext('onRequest', async (request, h) => {
    await before(request.raw.req, request.raw.res).catch(fail)
    return h.continue
  })
  server.ext('onPreResponse', ({ response }, h) => {
    Object.assign(Boom.isBoom(response) ? response.output.headers : response.headers, fields, lateFields)
    return h.continue
  })
  for (const { path, text } of pages) {
    server.route({ method: 'GET', path, handler: () => text })
    server.route({ method: 'POST', path, handler: () => text, options: { payload: { parse: false } } })
  }
  for (const { path, options, handler } of endpoints) {
    const accept = (request, h) => {
      try {
        agree(request.raw.req, options, handler)
      } catch (error) {
        fail(error)
      }
      return h.response().code(101)
    }
    server.route({ method: 'GET', path, handler: accept })
  }
  await server.start()
  await once(listener.listen(0, '127.0.0.1'), 'listening')
  return { server: listener, drain: () => attachment.drain() }
}

function fail(thrown) {
  const error = asError(thrown)
  const boom = Boom.boomify(error, { statusCode: error.status ?? 500 })
  Object.assign(boom.output.headers, error.headers)
  throw boom
}
