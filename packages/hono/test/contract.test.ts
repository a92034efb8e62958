import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import type { HttpBindings } from '@hono/node-server'
import { cases, type Subject } from '@oneport/adapter-testsuite'
import { isPrintable } from '@oneport/core/adapter'
import { describeOtherClients } from '@oneport/test-kit'
import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { attach, webSocket } from '../src/index.ts'
import { versions } from './versions.ts'

describe.each(versions)('%s', (_name, { Hono, createAdaptorServer }) => {
  const serve: Subject = async ({ before, createServer, endpoints, fields, lateFields, options, pages }) => {
    const app = new Hono<{ Bindings: HttpBindings }>()
    app.use(async (c, next) => {
      setAll(c, fields)
      await next()
      setAll(c, lateFields)
    })
    app.use(async (c, next) => {
      await before(c.env.incoming, c.env.outgoing).catch((error) => {
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

  for (const { name, run } of cases(serve, { http2: true })) test(name, run)
  describeOtherClients(serve, { http2: true })
})

function setAll(c: Context, fields: Readonly<Record<string, string | string[]>>): void {
  for (const [name, values] of Object.entries(fields)) {
    for (const [index, value] of [values].flat().entries()) c.header(name, value, { append: index > 0 })
  }
}
