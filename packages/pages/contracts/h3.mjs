import { once } from 'node:events'
import { attach } from '@oneport/core'
import { agree, asError } from '@oneport/core/adapter'
import { H3, HTTPError, HTTPResponse, toNodeHandler } from 'h3'

export const options = { http2: true }

export async function serve({ before, createServer, endpoints, fields, lateFields, options, pages }) {
  const app = new H3({ onResponse: (response) => setFields(response, fields, lateFields), silent: true })
  app.use(async ({ runtime }) => {
    await before(runtime.node.req, runtime.node.res).catch(fail)
  })
  for (const { path, text } of pages) app.get(path, () => text).post(path, () => text)
  for (const { path, options, handler } of endpoints) {
    app.get(path, ({ runtime }) => {
      try {
        agree(runtime.node.req, options, handler)
      } catch (error) {
        fail(error)
      }
      return new HTTPResponse(null, { status: 101 })
    })
  }
  const server = createServer(toNodeHandler(app))
  const attachment = attach(server, options)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { server, drain: () => attachment.drain() }
}

function setFields({ headers }, ...sets) {
  for (const [name, value] of sets.flatMap(Object.entries)) {
    headers.delete(name)
    for (const one of [value].flat()) headers.append(name, one)
  }
}

function fail(thrown) {
  const error = asError(thrown)
  throw error.status === undefined ? error : new HTTPError(error)
}
