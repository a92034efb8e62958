import { once } from 'node:events'
import { attach } from '@oneport/core'
import { agree, asError } from '@oneport/core/adapter'
import {
  createApp,
  createError,
  createRouter,
  eventHandler,
  setResponseHeaders,
  setResponseStatus,
  toNodeListener
} from 'h3-1'

export async function serve({ before, createServer, endpoints, fields, lateFields, options, pages }) {
  const setLateFields = (event) => setResponseHeaders(event, lateFields)
  const app = createApp({ onBeforeResponse: setLateFields, onError: (_error, event) => setLateFields(event) })
  const first = eventHandler(async (event) => {
    setResponseHeaders(event, fields)
    await before(event.node.req, event.node.res).catch((error) => fail(event, error))
  })
  const router = createRouter()
  for (const { path, text } of pages) {
    router.get(
      path,
      eventHandler(() => text)
    )
    router.post(
      path,
      eventHandler(() => text)
    )
  }
  for (const { path, options, handler } of endpoints) {
    const accept = eventHandler((event) => {
      try {
        agree(event.node.req, options, handler)
      } catch (error) {
        fail(event, error)
      }
      setResponseStatus(event, 101)
      return null
    })
    router.get(path, accept)
  }
  app.use(first).use(router)
  const server = createServer(toNodeListener(app))
  const attachment = attach(server, options)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { server, drain: () => attachment.drain() }
}

function fail(event, thrown) {
  const { headers = {}, message, status = 500 } = asError(thrown)
  setResponseHeaders(event, headers)
  throw createError({ status, data: { message: status < 500 ? message : 'broken' } })
}
