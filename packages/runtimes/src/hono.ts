import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import type { HttpBindings } from '@hono/node-server'
import * as second from '@hono/node-server'
import type { Application, Subject } from '@oneport/adapter-testsuite'
import { isPrintable } from '@oneport/core/adapter'
import { attach, webSocket } from '@oneport/hono'
import { type Context, Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import * as first from 'node-server-1'

/** On version 1 of `@hono/node-server`, and on version 2. The types are those of version 2. */
export const onFirst: Subject = serveHono(first as unknown as typeof second)
export const onSecond: Subject = serveHono(second)

/** @param version of `@hono/node-server` */
function serveHono({ createAdaptorServer }: typeof second): Subject {
  return async ({ before, createServer, endpoints, fields, lateFields, options, pages }) => {
    const app = new Hono<{ Bindings: HttpBindings }>()
    app.use(async (c, next) => {
      setAll(c, fields)
      await next()
      setAll(c, lateFields)
    })
    app.use(async (c, next) => {
      await before(c.env.incoming, c.env.outgoing).catch((error: unknown) => {
        const { status = 500, message = 'broken' } = Object(isPrintable(error) ? error : {})
        throw new HTTPException(status, { message })
      })
      await next()
    })
    for (const { path, text } of pages) app.all(path, (c) => c.text(text))
    for (const { path, options, handler } of endpoints) app.get(path, webSocket(options, handler))
    const server = createAdaptorServer({
      fetch: app.fetch,
      createServer: ((_options: object, listener: RequestListener) => createServer(listener)) as never
    })
    const attachment = attach(server, options)
    await once(server.listen(0, '127.0.0.1'), 'listening')
    return { server, drain: () => attachment.drain() }
  }
}

function setAll(c: Context, fields: Application['fields']): void {
  for (const [name, values] of Object.entries(fields)) {
    for (const [index, value] of [values].flat().entries()) c.header(name, value, { append: index > 0 })
  }
}
