import { once } from 'node:events'
import { cases, type Subject } from '@oneport/adapter-testsuite'
import Koa from 'koa'
import { agree, attach, effectiveOf, isPrintable, limitPending } from '../src/adapter.ts'

/** Koa sends its responses when all middleware has returned. This is the adapter from docs/adapters.md. */
const serve: Subject = async ({ before, createServer, endpoints, fields, lateFields, options, pages }) => {
  const app = new Koa()
  app.silent = true
  const effectiveRequest = (ctx: Koa.Context) =>
    effectiveOf({
      host: ctx.host,
      protocol: ctx.protocol,
      isForwarded: app.proxy && ctx.get('X-Forwarded-Proto') !== '',
      address: () => ctx.ip
    })
  app.use((ctx, next) => {
    limitPending(ctx.req, effectiveRequest(ctx))
    return next()
  })
  app.use(async (ctx, next) => {
    ctx.set(fields)
    try {
      await next()
    } catch (error) {
      const { status = 500, message = '', headers = {} } = Object(isPrintable(error) ? error : {})
      ctx.status = status
      ctx.body = status < 500 ? message : 'broken'
      ctx.set(headers)
    }
    ctx.set(lateFields)
  })
  app.use(async (ctx, next) => {
    await before(ctx.req, ctx.res)
    await next()
  })
  app.use((ctx) => {
    const page = pages.find(({ path }) => path === ctx.path)
    const endpoint = endpoints.find(({ path }) => path === ctx.path)
    if (page !== undefined) ctx.body = page.text
    if (endpoint === undefined) return
    agree(ctx.req, endpoint.options, (socket) => endpoint.handler(socket), {
      effectiveRequest: () => effectiveRequest(ctx)
    })
    ctx.status = 101
  })
  const server = createServer(app.callback())
  const attachment = attach(server, undefined, options, { tellsClients: true })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { server, drain: () => attachment.drain() }
}

describe('Koa', () => {
  for (const { name, run } of cases(serve)) test(name, run)
})
